"""What Discord's REST interface is told and answers: messages, voice notes, files, refusals.

discord.py reads voice messages, and has no call that sends one (2.7); this module makes the request itself, by the
library's own HTTP client, which knows the rate limits.
"""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, cast

import aiohttp
import discord
from discord.http import MultipartParameters
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError, unusable_is_bad_input

TEXT_LIMIT = 2000
"""Characters of one message."""
VOICE_FLAG = 1 << 13
MOST_POINTS = 256
POINT_SECONDS = 0.1
"""A waveform has at most one point in so many seconds."""
SAMPLE_TYPE = "<i2"

GONE = frozenset({10003, 10004, 50001, 50007, 50013, 50083, 50278})
"""Unknown channel or guild, no access, private messages closed, may not write here, thread archived."""
NO_HISTORY = 160002
"""A reply needs the permission to read what it replies to."""

Send = Callable[[MultipartParameters], Coroutine[Any, Any, dict[str, Any]]]


def nonce(message: str, part: str) -> str:
    """Name a send: the same name within some minutes gives the message that was made the first time.

    Args:
        message: the message that is answered.
        part: which of the things sent in answer to it.

    Returns:
        22 characters of the 25 that Discord takes.

    """
    digest = hashlib.sha256(f"{message}/{part}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def message_of(name: str, content: str | None = None, reply_to: str | None = None, **more: object) -> dict[str, Any]:
    """Make the body of a message: idempotent by its name, pinging nobody."""
    body: dict[str, Any] = {"nonce": name, "enforce_nonce": True, "allowed_mentions": {"parse": []}, **more}
    if content is not None:
        body["content"] = content
    if reply_to is not None:
        body["message_reference"] = {"message_id": reply_to, "fail_if_not_exists": False}
    return body


def plain(body: dict[str, Any]) -> MultipartParameters:
    """Send a body by itself."""
    return MultipartParameters(payload=body, multipart=None, files=None)


def with_file(body: dict[str, Any], data: bytes, name: str, **attachment: object) -> MultipartParameters:
    """Send a body with one Ogg file; its media type decides whether Discord takes it for a voice message."""
    file = discord.File(io.BytesIO(data), name)
    body = body | {"attachments": [{"id": 0, "filename": name, **attachment}]}
    parts: list[dict[str, Any]] = [
        {"name": "payload_json", "value": json.dumps(body)},
        {"name": "files[0]", "value": file.fp, "filename": name, "content_type": "audio/ogg"},
    ]
    return MultipartParameters(payload=None, multipart=parts, files=[file])


def found_among(messages: list[dict[str, Any]], body: dict[str, Any], file: str | None) -> str | None:
    """Find the message that a body made when it was sent before; its id, or None.

    Args:
        messages: what was said from the message that is answered on; without it, where that is gone.
        body: what would be sent.
        file: name of the file that goes with it.

    """
    replied = body.get("message_reference", {}).get("message_id")
    related = {replied} if any(str(message["id"]) == replied for message in messages) else {replied, None}
    for message in messages:
        names = [attachment["filename"] for attachment in message["attachments"]]
        same = message["content"] == body.get("content", "") and names == ([file] if file else [])
        to = (message.get("message_reference") or {}).get("message_id")
        if same and to in related and message["author"].get("bot"):
            return str(message["id"])
    return None


def waveform(data: bytes, seconds: float) -> str:
    """Draw a voice note as Discord shows it: loudness by time, 0 to 255, in base64. Blocks: call it in a thread.

    Raises:
        BadInputError: ``audio-unreadable`` and the others of ``activities.audio.codec.decode``.

    """
    import numpy as np

    from activities.audio.codec import decode

    with unusable_is_bad_input():
        pcm = decode(data, seconds + 60)
    samples = np.frombuffer(pcm, SAMPLE_TYPE).astype(np.float64)
    count = max(1, min(MOST_POINTS, int(seconds / POINT_SECONDS)))
    windows = np.array_split(samples, count)
    loudness = np.array([np.sqrt(np.mean(window**2)) if window.size else 0.0 for window in windows])
    points = (loudness / max(loudness.max(), 1.0) * 255).astype(np.uint8)
    return base64.b64encode(points.tobytes()).decode()


def paused(error: discord.HTTPException | discord.RateLimited) -> ApplicationError | None:
    """Read how long Discord asks to wait; None where it does not."""
    if isinstance(error, discord.RateLimited):
        seconds = error.retry_after
    elif error.status == 429:
        seconds = _seconds(cast("aiohttp.ClientResponse", error.response).headers.get("Retry-After"))
    else:
        return None
    message = f"Discord asks to wait {seconds:.1f} s."
    return ApplicationError(message, type="rate-limited", next_retry_delay=timedelta(seconds=seconds))


def _seconds(header: str | None) -> float:
    try:
        return min(max(float(header or 30), 1), 900)
    except ValueError:
        return 30.0


def refused(error: discord.HTTPException, code: ErrorCode) -> Exception:
    """Tell what an answer of Discord means for the activity: for good, or for now (the error itself).

    Args:
        error: what Discord answered.
        code: what it means where nothing more is known.

    """
    waits = paused(error)
    if waits is not None:
        return waits
    if error.status >= 500 or error.status == 401:  # a token may be mended
        return error
    if error.code in GONE:
        return BadInputError(ErrorCode.CHAT_GONE, f"Discord refuses this channel: {error.code}.")
    return BadInputError(code, f"Discord refuses this: {error.status}, {error.code}.")
