"""The confined process that decodes; ``activities.audio.decoder`` starts it and talks to it."""

import json
import resource
import struct
import sys
from pathlib import Path

from activities.audio.codec import SAMPLE_RATE, decode
from activities.audio.decoder_protocol import LENGTHS, send
from activities.error_codes import UnusableAudioError

MEMORY_BYTES = 192 << 20
"""Address space that a child may take on top of what it has when it is ready; enough for 20 MB and 600 s."""


def _confine() -> None:
    """Limit this process: no more memory than a recording needs, no new file or socket, no writing, no core dump."""
    decode(_WARM_UP, max_seconds=1)  # whatever is loaded lazily is loaded now
    limits = {resource.RLIMIT_NOFILE: 3, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + MEMORY_BYTES
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


# 8 samples of silence, as WAV.
_WARM_UP = b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + struct.pack("<IIHH", SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
_WARM_UP += b"data\x10\0\0\0" + bytes(16)


def main() -> None:
    """Serve requests from standard input until it ends."""
    _confine()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    send(target, {"ready": True})
    while lengths := source.read(LENGTHS.size):
        head_length, length = LENGTHS.unpack(lengths)
        head, data = json.loads(source.read(head_length)), source.read(length)
        try:
            send(target, {}, decode(data, head["max_seconds"], head["budget_seconds"]))
        except UnusableAudioError as error:
            send(target, {"code": error.code.value, "message": error.message, "params": error.params})


if __name__ == "__main__":
    main()
