"""Updates by polling and by webhook, with the real library: confirmed once they are safe, and not before."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import ClientSession
from telegram import Bot, Update
from temporalio.service import RPCError, RPCStatusCode

from activities.values import Address
from bots.inbox import InboundMessage
from bots.telegram.intake import TelegramIntake, publish_commands
from bots.telegram.polling import Polling, TokenRefusedError
from bots.telegram.webhook import SECRET_HEADER, Webhook, register
from tests.support.platforms.telegram import TOKEN, BotApi
from tests.support.ports import free_port
from tests.support.waiting import until
from workers.http import serving
from workers.roles.telegram import build_bot
from workers.settings import TelegramSettings

CHAT, OTHER = 5, 6
DOWN = RPCError("down", RPCStatusCode.UNAVAILABLE, b"")
SECRET = "open-sesame"


class Inbox:
    """Takes messages, unless it is told to fail."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str | None]] = []
        self.failures: dict[str, list[Exception]] = {}
        self.sentences: dict[str, str] = {}
        self.said: list[tuple[str, str]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def receive(self, inbound: InboundMessage) -> str | None:
        text = inbound.text or ""
        await self.hold.wait()
        if self.failures.get(text):
            raise self.failures[text].pop()
        self.taken.append((inbound.chat, text))
        return self.sentences.get(text)

    async def say(self, to: Address, text: str) -> str:
        if text == "fail":
            raise RuntimeError("no")
        self.said.append((to.message, text))
        return "1"

    @property
    def texts(self) -> list[str | None]:
        return [text for _, text in self.taken]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture(scope="module")
async def bot(server: BotApi) -> Bot:
    bot = build_bot(TelegramSettings.model_validate({"token": TOKEN, "base_url": server.url}))
    await bot.initialize()
    return bot


@pytest.fixture
def api(server: BotApi) -> BotApi:
    server.clear()
    return server


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def intake(bot: Bot, inbox: Inbox) -> TelegramIntake:
    return TelegramIntake(inbox, inbox.say, bot.bot)


@asynccontextmanager
async def polling(bot: Bot, receive: Callable[[Update], Awaitable[object]]) -> AsyncIterator[asyncio.Task[None]]:
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
    hopeless = RPCError("too large", RPCStatusCode.INVALID_ARGUMENT, b"")
    inbox.failures = {"poison": [ValueError("bad")] * 9, "large": [hopeless] * 9}
    for text in ("poison", "large", "good"):
        api.write(CHAT, text)
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 3)
    assert inbox.texts == ["good"]
    assert {text: len(left) for text, left in inbox.failures.items()} == {"poison": 6, "large": 6}


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


async def test_what_the_door_says_is_sent(api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake) -> None:
    inbox.sentences = {"/start": "Welcome!", "/help": "fail"}
    numbers = [api.write(CHAT, text) for text in ("/help", "/start")]
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 2)
    await intake.settle()
    assert inbox.said == [(str(numbers[1]), "Welcome!")]


async def test_the_menu_of_commands(api: BotApi, bot: Bot) -> None:
    await publish_commands(bot)
    assert api.commands.keys() == {"", "en", "de", "es", "fr"}
    assert {"start", "voice", "forget"} <= set(api.commands["de"])
    assert "block" not in api.commands["de"]


# Webhook


@asynccontextmanager
async def listening(bot: Bot, intake: TelegramIntake) -> AsyncIterator[str]:
    port = free_port()
    application = Webhook(bot, intake.receive, SECRET).application("/hook")
    async with serving(application, socket.create_server(("127.0.0.1", port)), 10):
        url = f"http://127.0.0.1:{port}/hook"
        await register(bot, url, SECRET)
        yield url


async def test_webhook(api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake) -> None:
    async with listening(bot, intake) as url:
        assert (api.webhook["url"], api.webhook["secret_token"]) == (url, SECRET)
        inbox.failures["1"] = [DOWN]
        for text in ("1", "2"):
            api.write(CHAT, text)
        assert await api.post_updates() == [503]
        assert await api.post_updates() == [200, 200]
    assert inbox.texts == ["1", "2"]


async def test_the_webhook_is_for_telegram_alone(api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake) -> None:
    async with listening(bot, intake) as url, ClientSession() as session:
        for headers, body, status in (
            ({}, b"{}", 403),
            ({SECRET_HEADER: "guess"}, b"{}", 403),
            ({SECRET_HEADER: SECRET}, b"x" * (2 << 20), 413),
            ({SECRET_HEADER: SECRET}, b"no json", 200),
            ({SECRET_HEADER: SECRET}, b"[]", 200),
        ):
            async with session.post(url, data=body, headers=headers) as response:
                assert response.status == status
    assert inbox.taken == []
