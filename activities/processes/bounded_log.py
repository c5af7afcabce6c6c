"""A log that keeps the beginning and the end of whatever is printed, in bounded memory."""

HEAD_BYTES = 256 << 10
TAIL_BYTES = 768 << 10


class BoundedLog:
    """Keeps the beginning and the end of what is written; what lies between is only counted."""

    def __init__(self, head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        """Keep at most so many bytes of the beginning and of the end."""
        self._max_head = head
        self._max_tail = tail
        self._head = bytearray()
        self._tail = bytearray()
        self.written = 0
        """Bytes."""

    def write(self, data: bytes) -> None:
        """Append data; memory is bounded, however much is written."""
        self.written += len(data)
        free = self._max_head - len(self._head)
        self._head += data[:free]
        self._tail += data[free:] if free > 0 else data
        if len(self._tail) > 2 * self._max_tail:  # seldom, as it moves what stays
            del self._tail[: -self._max_tail]

    @property
    def left_out(self) -> int:
        """Bytes that were not kept."""
        return self.written - len(self._head) - min(len(self._tail), self._max_tail)

    def content(self) -> bytes:
        """Return what was kept, with a line that says how much was not."""
        tail = bytes(self._tail[-self._max_tail :])
        gap = f"\n[... {self.left_out} bytes left out ...]\n".encode() if self.left_out else b""
        return bytes(self._head) + gap + tail

    def end(self, size: int) -> str:
        """Return the last ``size`` bytes as text, from the beginning of a line on where there is one."""
        kept = bytes(self._tail[-size:]) if len(self._tail) >= size else bytes((self._head + self._tail)[-size:])
        if self.written > len(kept):
            kept = kept.split(b"\n", 1)[-1]
        return kept.decode(errors="replace")
