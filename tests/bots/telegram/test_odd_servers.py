"""Servers that are not quite Telegram's: none is asked without end, none gives a message twice, each loses nothing."""

import asyncio
import json
import logging
from itertools import pairwise

import pytest
from telegram import Bot
from telegram.error import Conflict, RetryAfter

from bots.telegram import polling as module
from bots.telegram.intake import TelegramIntake
from bots.telegram.polling import CONFLICT, CONFLICTS, LONGEST_ASKED_SECONDS, Retries
from tests.bots.telegram.conftest import CHAT, DOWN, Inbox
from tests.bots.telegram.test_polling import polling
from tests.support.logs import june_records
from tests.support.platforms.telegram import BotApi, Fault
from tests.support.waiting import until

PAUSE = 0.1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EMPTY_PAUSE_SECONDS", PAUSE)


def gaps(api: BotApi) -> list[float]:
    """Return the seconds between polls."""
    return [later.at - earlier.at for earlier, later in pairwise(api.called("getUpdates"))]


async def polled(api: BotApi, times: int) -> None:
    before = len(api.called("getUpdates"))
    await until(lambda: len(api.called("getUpdates")) >= before + times)


async def test_one_that_does_not_wait_is_not_asked_without_end(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    api.impatient = True
    async with polling(bot, intake.receive):
        await polled(api, 5)
        assert min(gaps(api)) >= PAUSE
        api.write(CHAT, "One.")
        api.write(CHAT, "Two.")
        await until(lambda: api.confirmed == 2)
    assert inbox.texts == ["One.", "Two."]


async def test_updates_that_are_there_are_not_waited_for(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EMPTY_PAUSE_SECONDS", 1000.0)
    for number in range(250):
        api.write(CHAT, str(number))
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 250)
    assert len(inbox.taken) == 250


async def test_one_that_ignores_the_offset_gives_nothing_twice(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    api.forgetful = True
    inbox.sentences = {"/status": "Idle."}
    api.write(CHAT, "/status")
    async with polling(bot, intake.receive):
        await polled(api, 4)
        api.write(CHAT, "One.")
        await until(lambda: inbox.texts == ["/status", "One."])
        await polled(api, 3)
    await intake.settle()
    assert inbox.texts == ["/status", "One."]
    assert len(inbox.said) == 1
    assert sum(gap < PAUSE for gap in gaps(api)) <= 3, "only behind what is new, and at the end"


async def test_one_whose_numbers_begin_anew_is_heard(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    api.forgetful = True
    api.write(CHAT, "One.")
    async with polling(bot, intake.receive):
        await until(lambda: inbox.texts == ["One."])
        api.updates[0] = api.updates[0] | {"update_id": 5}
        await until(lambda: len(inbox.taken) == 2)
        await polled(api, 2)
    assert len(inbox.taken) == 2


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"ok": False, "error_code": 500, "description": "Internal Server Error"}),
        json.dumps({"ok": False, "description": "no"}),
        json.dumps({"ok": True}),
        "<html>Welcome to the hotel's network</html>",
        "null",
        "[]",
        "",
    ],
)
async def test_one_that_says_no_with_status_200(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    api.faults["getUpdates"].extend(Fault(body=body) for _ in range(3))
    api.write(CHAT, "One.")
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 1)
    assert inbox.texts == ["One."]
    assert {(record.levelname, record.exc_info) for record in june_records(caplog)} <= {("WARNING", None)}
    assert len(june_records(caplog)) == 3


@pytest.mark.parametrize("result", [{}, "x", 5, True, ["x"], [None], [{"message": {}}], [{"update_id": "x"}], [[]]])
async def test_one_that_answers_with_what_are_no_updates(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake, result: object
) -> None:
    api.faults["getUpdates"].extend(Fault(body=json.dumps({"ok": True, "result": result})) for _ in range(4))
    api.write(CHAT, "One.")
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 1)
    assert inbox.texts == ["One."]


async def test_one_that_says_the_token_is_wrong_with_status_200(api: BotApi, bot: Bot, intake: TelegramIntake) -> None:
    api.faults["getUpdates"].append(
        Fault(body=json.dumps({"ok": False, "error_code": 401, "description": "Unauthorized"}))
    )
    async with polling(bot, intake.receive) as running:
        with pytest.raises(module.TokenRefusedError):
            await asyncio.wait_for(running, 5)


def test_a_huge_pause_is_asked_about_again() -> None:
    assert Retries().may_pass(RetryAfter(10**9)) == LONGEST_ASKED_SECONDS
    assert Retries().may_pass(RetryAfter(7)) == 7


def test_a_conflict_that_lasts_is_for_an_operator(caplog: pytest.LogCaptureFixture) -> None:
    retries = Retries()
    for _ in range(3 * CONFLICTS):
        retries.may_pass(Conflict("Conflict: terminated by other getUpdates request"))
    assert [record.levelname for record in june_records(caplog)] == ["WARNING", "ERROR"]
    assert june_records(caplog)[-1].getMessage().startswith(f"{CONFLICT}: ")


@pytest.mark.parametrize(
    ("status", "description", "parameters", "level"),
    [
        (429, "Too Many Requests: retry after 1", {"retry_after": 1}, logging.INFO),
        (502, "Bad Gateway", {}, logging.WARNING),
        (409, "Conflict: terminated by other getUpdates request", {}, logging.WARNING),
        (400, "Bad Request: something new", {}, logging.WARNING),
    ],
)
async def test_ordinary_faults_are_a_line_each(
    api: BotApi,
    bot: Bot,
    intake: TelegramIntake,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    description: str,
    parameters: dict[str, int],
    level: int,
) -> None:
    monkeypatch.setattr(module, "CONFLICT_SECONDS", 0.01)
    api.fail("getUpdates", status, description, **parameters)
    with caplog.at_level(logging.INFO):
        api.write(CHAT, "One.")
        async with polling(bot, intake.receive):
            await until(lambda: api.confirmed == 1)
    lines = [record for record in caplog.records if not record.name.startswith(("httpx", "aiohttp"))]
    assert [(record.levelno, record.exc_info) for record in lines] == [(level, None)]
    assert "tried again" in lines[0].getMessage()


async def test_an_outage_of_temporal_is_a_line_each_time(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.failures["One."] = [DOWN] * 2
    api.write(CHAT, "One.")
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 1)
    assert [(record.levelname, record.exc_info) for record in june_records(caplog)] == [("WARNING", None)] * 2
