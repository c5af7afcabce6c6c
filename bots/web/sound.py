"""Stored sound for browsers: PCM as WAV, and pieces of a file for players that ask for pieces."""

import io
import re
import wave

from starlette.responses import Response

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
KINDS = {"pcm": "audio/wav", "ogg": "audio/ogg"}
"""What may be played: endings in the store, and what they are served as."""


def as_wav(pcm: bytes, rate: int) -> bytes:
    """Wrap s16le mono PCM of ``rate`` hertz as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setparams((1, 2, rate, len(pcm) // 2, "NONE", "not compressed"))
        target.writeframes(pcm)
    return file.getvalue()


def playable(data: bytes, mime: str, wanted: str | None) -> Response:
    """Serve sound, or the piece of it that the header ``Range`` asks for."""
    headers = {"Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(wanted or "")
    if match is None or not (match[1] or match[2]):
        return Response(data, media_type=mime, headers=headers)
    size = len(data)
    start = int(match[1]) if match[1] else max(0, size - int(match[2]))
    end = min(size, int(match[2]) + 1) if match[1] and match[2] else size
    if start >= end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return Response(data[start:end], 206, media_type=mime, headers=headers)
