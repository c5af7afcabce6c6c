"""What Telegram's errors mean, as its platform raises them."""

import asyncio
import logging
from datetime import timedelta

import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.errors import BadInputError
from activities.platforms.platform import MessageText, SendUncertainError, VoiceForbiddenError
from activities.platforms.telegram.errors import MAX_PAUSE_SECONDS, download_error, seconds_of
from activities.platforms.telegram.platform import TelegramPlatform
from tests.activities.platforms.telegram.conftest import GROUP, NOTE, to
from tests.support.logs import june_records
from tests.support.platforms.telegram import TOKEN, BotApi, Fault
from workers.roles.telegram import build_bot
from workers.settings import TelegramSettings


@pytest.mark.parametrize(
    ("status", "description", "error", "code"),
    [
        (403, "Forbidden: bot was blocked by the user", BadInputError, "chat-gone"),
        (403, "Forbidden: bot was kicked from the supergroup chat", BadInputError, "chat-gone"),
        (400, "Bad Request: chat not found", BadInputError, "chat-gone"),
        (400, "Bad Request: have no rights to send a message", BadInputError, "reply-failed"),
        (401, "Unauthorized", ApplicationError, "telegram-pause"),
        (500, "Internal Server Error", ApplicationError, "telegram-unreachable"),
        (502, "Bad Gateway", ApplicationError, "telegram-unreachable"),
    ],
)
async def test_what_errors_mean(
    api: BotApi, platform: TelegramPlatform, status: int, description: str, error: type[ApplicationError], code: str
) -> None:
    api.fail("sendVoice", status, description)
    with pytest.raises(error) as failed:
        await platform.send_voice(to(1), NOTE)
    assert failed.value.type == code
    assert failed.value.non_retryable is (error is BadInputError)
    assert TOKEN not in str(failed.value)


@pytest.mark.parametrize(
    "description", ["Bad Request: VOICE_MESSAGES_FORBIDDEN", "Bad Request: not enough rights to send voice notes"]
)
async def test_forbidden_voice(api: BotApi, platform: TelegramPlatform, description: str) -> None:
    api.fail("sendVoice", 400, description)
    with pytest.raises(VoiceForbiddenError):
        await platform.send_voice(to(1), NOTE)


@pytest.mark.parametrize("fault", [Fault(hang_after=True), Fault(hang_before=True), Fault(drop_after=True)])
async def test_silence_is_uncertain(
    api: BotApi, platform: TelegramPlatform, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("activities.platforms.telegram.platform.UPLOAD_SECONDS", 0.2)
    api.faults["sendVoice"].append(fault)
    with pytest.raises(SendUncertainError):
        await platform.send_voice(to(1), NOTE)


async def test_a_gateway_that_gave_up_is_uncertain(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendVoice", 504, "Gateway Timeout")
    with pytest.raises(SendUncertainError):
        await platform.send_voice(to(1), NOTE)


async def test_an_unreachable_server_has_done_nothing() -> None:
    bot = build_bot(TelegramSettings.model_validate({"token": TOKEN, "base_url": "http://127.0.0.1:9"}))
    with pytest.raises(ApplicationError) as failed:
        await TelegramPlatform(bot).send_text(to(1), MessageText("Hello."))
    assert failed.value.type == "telegram-unreachable"
    assert not failed.value.non_retryable


@pytest.mark.parametrize(
    ("status", "description", "parameters"),
    [
        (429, "Too Many Requests: retry after 7", {"retry_after": 7}),
        (403, "Forbidden: bot was blocked by the user", {}),
        (403, "Forbidden: bot was kicked from the supergroup chat", {}),
        (400, "Bad Request: chat not found", {}),
        (502, "Bad Gateway", {}),
        (401, "Unauthorized", {}),
    ],
)
async def test_ordinary_refusals_are_a_line_each(
    api: BotApi,
    platform: TelegramPlatform,
    caplog: pytest.LogCaptureFixture,
    status: int,
    description: str,
    parameters: dict[str, int],
) -> None:
    api.fail("sendMessage", status, description, **parameters)
    with caplog.at_level(logging.INFO), pytest.raises(ApplicationError) as failed:
        await platform.send_text(to(1), MessageText("Hello."))
    lines = [record for record in caplog.records if not record.name.startswith(("httpx", "aiohttp"))]
    assert [(record.levelname, record.exc_info) for record in lines] == [("INFO", None)]
    if not failed.value.non_retryable:
        assert failed.value.category is ApplicationErrorCategory.BENIGN


async def test_what_cannot_be_shown_or_taken_back_is_no_noise(
    api: BotApi, platform: TelegramPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail("sendMessageDraft", 429, "Too Many Requests: retry after 1", retry_after=1)
    api.fail("sendChatAction", 403, "Forbidden: bot was blocked by the user")
    api.fail("editMessageText", 400, "Bad Request: message is not modified")
    async with platform.presence(to(1), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        await asyncio.sleep(0.05)
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        await platform.send_text(to(1, GROUP), MessageText("Two."))
    await platform.retract(to(1), "404")
    assert june_records(caplog) == []


@pytest.mark.parametrize("pause", [7, timedelta(seconds=7)])
def test_a_pause_is_a_number_or_a_timedelta(pause: int | timedelta) -> None:
    assert seconds_of(RetryAfter(pause)) == 7
    assert seconds_of(RetryAfter(10**9)) == MAX_PAUSE_SECONDS


@pytest.mark.parametrize(
    ("error", "code", "delay"),
    [
        (RetryAfter(7), "telegram-pause", timedelta(seconds=7)),
        (BadRequest("File is too big"), "audio-too-large", None),
        (BadRequest("Wrong file_id"), "audio-missing", None),
        (Forbidden("Forbidden: bot was blocked"), "audio-missing", None),
        (NetworkError("Bad Gateway"), "telegram-unreachable", None),
    ],
)
def test_what_errors_of_downloads_mean(error: TelegramError, code: str, delay: timedelta | None) -> None:
    raised = download_error(error)
    assert isinstance(raised, ApplicationError)
    assert (raised.type, raised.next_retry_delay) == (code, delay)
    assert raised.non_retryable is code.startswith("audio-")
