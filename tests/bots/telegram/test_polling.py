"""Updates by polling, with the real library: confirmed once they are safe, and not before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from telegram import Bot, Update

from bots.delivery import DROPPED
from bots.telegram.intake import TelegramIntake
from bots.telegram.polling import Polling, Receive, TokenRefusedError
from tests.bots.telegram.conftest import CHAT, DOWN, HOPELESS, OTHER, SORRY, Inbox
from tests.support.platforms.telegram import BotApi
from tests.support.waiting import until


@asynccontextmanager
async def polling(bot: Bot, receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(Polling(bot, receive, poll_seconds=1, pause=0.01).run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, TokenRefusedError):
            await task


async def test_updates_are_confirmed_once_they_are_taken(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    inbox.hold.clear()
    api.write(CHAT, "One.")
    async with polling(bot, intake.receive):
        await until(lambda: bool(api.called("getUpdates")))
        await asyncio.sleep(0.05)
        assert (api.confirmed, inbox.taken) == (0, [])
        inbox.hold.set()
        await until(lambda: api.confirmed == 1)
    assert inbox.texts == ["One."]
    assert api.called("getUpdates")[0].params["allowed_updates"] == ["message"]


async def test_what_was_taken_is_confirmed_at_the_end(api: BotApi, bot: Bot, intake: TelegramIntake) -> None:
    async def receive(update: Update) -> None:
        await intake.receive(update)
        running.cancel()

    api.write(CHAT, "One.")
    async with polling(bot, receive) as running:
        await asyncio.wait([running], timeout=5)
    assert api.confirmed == 1


async def test_the_order_of_a_chat_holds_while_temporal_is_down(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    inbox.failures["1"] = [DOWN] * 5
    for chat, text in ((CHAT, "1"), (OTHER, "a"), (CHAT, "2"), (OTHER, "b")):
        api.write(chat, text)
    async with polling(bot, intake.receive):
        await until(lambda: len(inbox.taken) == 4)
        await until(lambda: api.confirmed == 4)
    assert [text for chat, text in inbox.taken if chat == str(CHAT)] == ["1", "2"]
    assert [text for chat, text in inbox.taken if chat == str(OTHER)] == ["a", "b"], "once each, and not held up"
    assert inbox.texts[:2] == ["a", "b"]


async def test_a_poison_update_is_left_out(api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake) -> None:
    inbox.failures = {"poison": [ValueError("bad")] * 9, "large": [HOPELESS] * 9}
    for text in ("poison", "large", "good"):
        api.write(CHAT, text)
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 3)
    assert inbox.texts == ["good"]
    assert {text: len(left) for text, left in inbox.failures.items()} == {"poison": 6, "large": 8}, (
        "the server is asked once"
    )


async def test_a_hopeless_update_is_reported_and_dropped(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.failures = {"large": [HOPELESS] * 9, "then": [DOWN]}
    large = api.write(CHAT, "large")
    for text in ("then", "last"):
        api.write(CHAT, text)
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 3)
    await intake.settle()
    assert inbox.texts == ["then", "last"], "what passes is tried again, in order"
    assert inbox.said == [(str(large), SORRY)]
    assert [record.message.split(":")[0] for record in caplog.records if record.levelname == "ERROR"] == [DROPPED]


async def test_an_update_that_cannot_be_read_is_left_out(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    api.write(CHAT, "One.")
    api.push({"message": {"message_id": 1}})
    api.write(CHAT, "Two.")
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 3)
    assert inbox.texts == ["One.", "Two."]


@pytest.mark.parametrize(
    ("status", "description", "parameters"),
    [
        (429, "Too Many Requests: retry after 1", {"retry_after": 1}),
        (502, "Bad Gateway", {}),
        (409, "Conflict: terminated by other getUpdates request", {}),
    ],
)
async def test_polling_goes_on(
    api: BotApi,
    bot: Bot,
    inbox: Inbox,
    intake: TelegramIntake,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    description: str,
    parameters: dict[str, int],
) -> None:
    monkeypatch.setattr("bots.telegram.polling.CONFLICT_SECONDS", 0.05)
    api.fail("getUpdates", status, description, **parameters)
    api.write(CHAT, "One.")
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 1)
    assert inbox.texts == ["One."]


async def test_of_two_pollers_each_message_is_taken_all_the_same(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.polling.CONFLICT_SECONDS", 0.05)
    async with polling(bot, intake.receive), polling(bot, intake.receive):
        for number in range(3):
            api.write(CHAT, str(number))
            await asyncio.sleep(0.1)
        await until(lambda: api.confirmed == 3)
    assert list(dict.fromkeys(inbox.texts)) == ["0", "1", "2"]


async def test_a_refused_token_ends_it(api: BotApi, bot: Bot, intake: TelegramIntake) -> None:
    api.fail("getUpdates", 401, "Unauthorized")
    async with polling(bot, intake.receive) as running:
        with pytest.raises(TokenRefusedError):
            await asyncio.wait_for(running, 5)
