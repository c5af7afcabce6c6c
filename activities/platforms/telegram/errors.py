"""What Telegram's errors mean: mapped in one place, and without a word of the bot's token.

Errors are raised ``from None``, as what the library chains to them may hold addresses, and these the token.
"""

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
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import SendUncertainError, VoiceForbiddenError

TOKEN_PAUSE = timedelta(minutes=1)
"""A refused token is a matter for people; meanwhile replies wait."""
GONE = ("chat not found", "peer_id_invalid", "bot was kicked", "group chat was deactivated", "user is deactivated")
VOICE_FORBIDDEN = ("voice_messages_forbidden", "voices_forbidden", "not enough rights to send voice")
"""Compared in lower case, as the library writes the first letter large."""
UNDECIDED = ("gateway timeout", "restart", "aborted")
"""Answers of a server that gave up half-way; any other 5xx says that nothing was done."""


def send_fault(error: TelegramError) -> Exception:
    """Say what it means that sending has failed: what to raise instead."""
    text = error.message.lower()
    if isinstance(error, RetryAfter):
        return pause(seconds_of(error), "Telegram asks to wait.")
    if isinstance(error, Forbidden):
        return BadInputError(ErrorCode.CHAT_GONE, error.message)
    if isinstance(error, InvalidToken):
        return pause(TOKEN_PAUSE.total_seconds(), "Telegram refuses the bot's token.")
    if isinstance(error, BadRequest):
        return _refusal(error, text)
    if isinstance(error, NetworkError) and not _may_have_arrived(error, text):
        return ApplicationError(f"Telegram was not reached: {error.message}", type="telegram-unreachable")
    return SendUncertainError(f"Telegram did not say whether it arrived: {error.message}")


def fetch_fault(error: TelegramError) -> Exception:
    """Say what it means that a download has failed: what to raise instead."""
    text = error.message.lower()
    if isinstance(error, RetryAfter):
        return pause(seconds_of(error), "Telegram asks to wait.")
    if isinstance(error, BadRequest) and "too big" in text:
        return BadInputError(ErrorCode.AUDIO_TOO_LARGE, error.message, limit_bytes=20_000_000)
    if isinstance(error, BadRequest | Forbidden):
        return BadInputError(ErrorCode.AUDIO_MISSING, error.message)
    return ApplicationError(f"Telegram did not hand the file over: {error.message}", type="telegram-unreachable")


def pause(seconds: float, message: str) -> ApplicationError:
    """Make the error that lets Temporal try again after so many seconds, and not before."""
    return ApplicationError(message, type="telegram-pause", next_retry_delay=timedelta(seconds=seconds))


def seconds_of(error: RetryAfter) -> float:
    """Read the pause that Telegram asks for; the library tells it as a number or as a span."""
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)


def _refusal(error: BadRequest, text: str) -> Exception:
    if any(sign in text for sign in VOICE_FORBIDDEN):
        return VoiceForbiddenError(error.message)
    code = ErrorCode.CHAT_GONE if any(sign in text for sign in GONE) else ErrorCode.REPLY_FAILED
    return BadInputError(code, error.message)


def _may_have_arrived(error: NetworkError, text: str) -> bool:
    """Tell a request that may have been carried out from one that never left, or was answered with a failure."""
    cause = error.__cause__
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return False
    if isinstance(error, TimedOut) or isinstance(cause, httpx.HTTPError):
        return True
    return any(sign in text for sign in UNDECIDED)
