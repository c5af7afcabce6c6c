"""Requests to Discord's REST interface and what its answers mean: messages, voice notes, files, errors.

discord.py reads voice messages, and has no call that sends one (2.7); this module makes the request itself, by the
library's own HTTP client, which knows the rate limits.
"""

import base64
import hashlib
import io
import json
import math
from datetime import timedelta
from typing import Any, NamedTuple, cast

import aiohttp
import discord
import numpy as np
from discord.http import MultipartParameters
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.audio.codec import decode
from activities.error_codes import ErrorCode
from activities.errors import BadInputError, unusable_is_bad_input

VOICE_FLAG = 1 << 13
FILE_NAME = "voice-message.ogg"
MAX_WAVEFORM_POINTS = 256
POINT_SECONDS = 0.1
"""A waveform has at most one point in so many seconds."""
SAMPLE_TYPE = "<i2"

CHAT_GONE_CODES = frozenset({10003, 10004, 50001, 50007, 50013, 50083, 50278})
"""Unknown channel or guild, no access, private messages closed, may not write here, thread archived."""
NO_HISTORY_CODE = 160002
"""A reply needs the permission to read what it replies to."""
MISSING_PERMISSIONS_CODE = 50013
UNKNOWN_MESSAGE_CODE = 10008
DEFAULT_RETRY_SECONDS = 30.0
"""Where Discord limits the rate, and does not say for how long."""
MAX_RETRY_SECONDS = 900.0
REFUSED_TOKEN_SECONDS = 60.0
"""A refused token is for people to replace; meanwhile replies wait."""
ASKING_FAILED = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
"""What a request raises that was not answered as it should; ``request_error`` says what that means."""
LIVE_MARK = "\n-# …"
"""Ends a message with the text so far: a line in small print, which no answer ends with."""

JSON = dict[str, Any]


class Upload(NamedTuple):
    """A file that goes with a message; as it stands, a voice note."""

    data: bytes
    name: str = FILE_NAME
    mime: str = "audio/ogg"
    """The part's media type decides whether Discord takes the file for a voice message."""


def nonce(message: str, part: str) -> str:
    """Return a nonce for a send: sent with the same one within some minutes, Discord returns the message made before.

    Args:
        message: the message that is answered.
        part: which of the things sent in answer to it.

    Returns:
        22 characters of the 25 that Discord takes.

    """
    digest = hashlib.sha256(f"{message}/{part}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def message_body(nonce: str, content: str | None = None, reply_to: str | None = None, **fields: object) -> JSON:
    """Build the body of a message: idempotent by its nonce, without mentions that notify people."""
    body: JSON = {"nonce": nonce, "enforce_nonce": True, "allowed_mentions": {"parse": []}, **fields}
    if content is not None:
        body["content"] = content
    if reply_to is not None:
        body["message_reference"] = {"message_id": reply_to, "fail_if_not_exists": False}
    return body


def parameters(body: JSON, file: Upload | None = None, **attachment: object) -> MultipartParameters:
    """Build the library's request of a body, and of one file with its fields."""
    if file is None:
        return MultipartParameters(payload=body, multipart=None, files=None)
    upload = discord.File(io.BytesIO(file.data), file.name)
    body = body | {"attachments": [{"id": 0, "filename": file.name, **attachment}]}
    parts: list[JSON] = [
        {"name": "payload_json", "value": json.dumps(body)},
        {"name": "files[0]", "value": upload.fp, "filename": file.name, "content_type": file.mime},
    ]
    return MultipartParameters(payload=None, multipart=parts, files=[upload])


def find_sent(messages: list[JSON], body: JSON, file: str | None = None) -> str | None:
    """Find the message that was made of a body when it was sent before; return its id, or None.

    Args:
        messages: the channel's, from the message that is answered on; without that message, if it was deleted.
        body: what would be sent.
        file: name of the file that goes with it, if any.

    """
    replied = body.get("message_reference", {}).get("message_id")
    references = {replied} if any(str(message["id"]) == replied for message in messages) else {replied, None}
    for message in messages:
        files = [attachment["filename"] for attachment in message["attachments"]]
        same = message["content"] == body.get("content", "") and files == ([file] if file else [])
        reference = (message.get("message_reference") or {}).get("message_id")
        if same and reference in references and message["author"].get("bot"):
            return str(message["id"])
    return None


def find_live(messages: list[JSON], asked: str) -> str | None:
    """Find the message with a part of the answer to ``asked``, left by a process that is gone; return its id."""
    references = {asked} if any(str(message["id"]) == asked for message in messages) else {asked, None}
    for message in messages:
        reference = (message.get("message_reference") or {}).get("message_id")
        if reference in references and message["author"].get("bot") and message["content"].endswith(LIVE_MARK.strip()):
            return str(message["id"])
    return None


def waveform(data: bytes, seconds: float) -> str:
    """Return a voice note's loudness over time, 0 to 255 a point, in base64. It blocks: call it in a thread.

    Raises:
        BadInputError: ``audio-unreadable`` and the others of ``activities.audio.codec.decode``.

    """
    with unusable_is_bad_input():
        pcm = decode(data, seconds + 60)
    samples = np.frombuffer(pcm, SAMPLE_TYPE).astype(np.float64)
    count = max(1, min(MAX_WAVEFORM_POINTS, int(seconds / POINT_SECONDS)))
    windows = np.array_split(samples, count)
    loudness = np.array([np.sqrt(np.mean(window**2)) if window.size else 0.0 for window in windows])
    points = (loudness / max(loudness.max(), 1.0) * 255).astype(np.uint8)
    return base64.b64encode(points.tobytes()).decode()


def request_error(error: Exception, code: ErrorCode) -> Exception:
    """Return what to raise for a request that failed; what passes by itself is benign, and is not logged as a fault.

    Args:
        error: one of ``ASKING_FAILED``.
        code: what a refusal means where nothing more is known.

    """
    if isinstance(error, discord.RateLimited):
        return _pause(error.retry_after)
    if not isinstance(error, discord.HTTPException):
        return _passing(f"Discord was not reached: {type(error).__name__}.", "discord-unreachable")
    if error.status == 429:
        return _pause(_seconds_of(error))
    if error.status >= 500:
        return _passing(f"Discord answers with a fault of its own: {error.status}.", "discord-unavailable")
    if error.status == 401:
        pause = timedelta(seconds=REFUSED_TOKEN_SECONDS)
        return ApplicationError("Discord refuses the token.", type="discord-token-refused", next_retry_delay=pause)
    if error.code in CHAT_GONE_CODES:
        return BadInputError(ErrorCode.CHAT_GONE, f"Discord refuses this channel: {error.code}.")
    return BadInputError(code, f"Discord refuses this: {error.status}, {error.code}.")


def _seconds_of(error: discord.HTTPException) -> float:
    header = cast("aiohttp.ClientResponse", error.response).headers.get("Retry-After")
    try:
        return float(header or DEFAULT_RETRY_SECONDS)
    except ValueError:
        return DEFAULT_RETRY_SECONDS


def _pause(seconds: float) -> ApplicationError:
    """Return the error on which Temporal waits as long as Discord asks, within reason."""
    seconds = min(max(seconds, 1), MAX_RETRY_SECONDS) if math.isfinite(seconds) else DEFAULT_RETRY_SECONDS
    return _passing(f"Discord asks to wait {seconds:.1f} s.", "rate-limited", timedelta(seconds=seconds))


def _passing(message: str, kind: str, pause: timedelta | None = None) -> ApplicationError:
    return ApplicationError(message, type=kind, next_retry_delay=pause, category=ApplicationErrorCategory.BENIGN)
