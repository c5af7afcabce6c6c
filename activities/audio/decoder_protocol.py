"""What goes between ``activities.audio.decoder`` and the process that decodes."""

import json
import struct
from typing import IO, Any

LENGTHS = struct.Struct(">II")
"""A message: length of its JSON head, length of its bytes, then both."""


def send(stream: IO[bytes], head: dict[str, Any], data: bytes = b"") -> None:
    """Write a message to a pipe."""
    text = json.dumps(head).encode()
    stream.write(LENGTHS.pack(len(text), len(data)) + text)
    stream.write(data)
    stream.flush()
