"""What Telegram's errors mean, without the bot's token in any message.

The results are raised ``from None``, as what the library chains to its errors may hold addresses, and these the token.
"""

from collections.abc import Iterable
from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import SendUncertainError, VoiceForbiddenError

MAX_DOWNLOAD_BYTES = 20_000_000
"""Of the Bot API's own server."""
TOKEN_RETRY_SECONDS = 60.0
"""A refused token is for people to replace; meanwhile replies wait."""
CHAT_GONE = ("chat not found", "peer_id_invalid", "bot was kicked", "group chat was deactivated", "user is deactivated")
VOICE_FORBIDDEN = ("voice_messages_forbidden", "voices_forbidden", "not enough rights to send voice")
"""Compared in lower case, as the library writes the first letter large."""
TOO_LONG = ("is too long", "message_too_long", "caption_too_long")
TOO_LARGE = ("entity too large",)
"""Of a file; the library takes it for a fault of the network."""
NOT_MODIFIED = ("not modified", "message_not_modified")
NO_SUCH_MESSAGE = ("message to edit not found", "message to delete not found", "message_id_invalid", "can't be edited")
MAX_PAUSE_SECONDS = 600.0
"""A server that asks for a longer pause is asked again after this."""
GAVE_UP = ("gateway timeout", "restart", "aborted")
"""Answers of a server that may have done part of the work; any other 5xx says that nothing was done."""


def send_error(error: TelegramError) -> Exception:
    """Return what to raise for a send that failed."""
    text = error.message.lower()
    if isinstance(error, RetryAfter):
        return retry_later(seconds_of(error), "Telegram asks to wait.")
    if isinstance(error, Forbidden):
        return BadInputError(ErrorCode.CHAT_GONE, error.message)
    if isinstance(error, InvalidToken):
        return retry_later(TOKEN_RETRY_SECONDS, "Telegram refuses the bot's token.")
    if is_about(error, TOO_LARGE):
        return BadInputError(ErrorCode.REPLY_FAILED, error.message)
    if isinstance(error, BadRequest):
        if is_about(error, VOICE_FORBIDDEN):
            return VoiceForbiddenError(error.message)
        gone = is_about(error, CHAT_GONE)
        return BadInputError(ErrorCode.CHAT_GONE if gone else ErrorCode.REPLY_FAILED, error.message)
    if isinstance(error, NetworkError) and not _may_have_arrived(error, text):
        return _unreachable(f"Telegram was not reached: {error.message}")
    return SendUncertainError(f"Telegram did not say whether it arrived: {error.message}")


def is_about(error: TelegramError, words: Iterable[str]) -> bool:
    """Check whether a message of Telegram's has one of some words in it, which are in lower case."""
    text = error.message.lower()
    return any(word in text for word in words)


def is_final(error: BadRequest) -> bool:
    """Check whether what was refused would be refused in any other form as well."""
    return is_about(error, (*CHAT_GONE, *VOICE_FORBIDDEN, *TOO_LONG, *NOT_MODIFIED, *NO_SUCH_MESSAGE))


def _may_have_arrived(error: NetworkError, text: str) -> bool:
    """Check whether a request may have been carried out; one that never left, or was answered with a failure, was not.

    Args:
        error: what the library made of it.
        text: its message in lower case.

    """
    cause = error.__cause__
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return False
    if isinstance(error, TimedOut) or isinstance(cause, httpx.HTTPError):
        return True
    return any(part in text for part in GAVE_UP)


def download_error(error: TelegramError) -> Exception:
    """Return what to raise for a download that failed."""
    if isinstance(error, RetryAfter):
        return retry_later(seconds_of(error), "Telegram asks to wait.")
    if isinstance(error, BadRequest) and "too big" in error.message.lower():
        return BadInputError(ErrorCode.AUDIO_TOO_LARGE, error.message, limit_bytes=MAX_DOWNLOAD_BYTES)
    if isinstance(error, BadRequest | Forbidden):
        return BadInputError(ErrorCode.AUDIO_MISSING, error.message)
    return _unreachable(f"Telegram did not hand the file over: {error.message}")


def _unreachable(message: str) -> ApplicationError:
    """Return the error of a network that is away for now: Temporal tries again."""
    return ApplicationError(message, type="telegram-unreachable", category=ApplicationErrorCategory.BENIGN)


def retry_later(seconds: float, message: str) -> ApplicationError:
    """Return the error on which Temporal tries again after so many seconds, and not before; an ordinary event."""
    return ApplicationError(
        message,
        type="telegram-pause",
        next_retry_delay=timedelta(seconds=seconds),
        category=ApplicationErrorCategory.BENIGN,
    )


def seconds_of(error: RetryAfter) -> float:
    """Return the pause that Telegram asks for, within reason; the library has it as a number or as a ``timedelta``."""
    pause = error.retry_after
    seconds = pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
    return min(max(seconds, 0.0), MAX_PAUSE_SECONDS)
