"""A terminal for a program: what it prints with the time of that, and keys to press."""

import asyncio
import fcntl
import os
import re
import struct
import termios
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.waiting import TIMEOUT_SECONDS, until

CTRL_C = "\x03"
_CONTROL = re.compile(r"\x1b(?:\[[\d;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


@dataclass
class Terminal:
    """A program on a terminal of its own."""

    process: asyncio.subprocess.Process
    _keyboard: int
    written: list[tuple[float, bytes]] = field(default_factory=list)
    """What the program has written, each with the seconds since it was started."""

    @property
    def raw(self) -> str:
        """All that the program has written."""
        return b"".join(data for _, data in self.written).decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without what steers the terminal."""
        return _CONTROL.sub("", self.raw)

    async def shows(self, text: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Wait until the program has written a text."""
        await until(lambda: text in self.text, timeout_seconds)

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._keyboard, keys.encode())


@asynccontextmanager
async def terminal(
    command: Sequence[str], environment: dict[str, str], columns: int = 100, lines: int = 40
) -> AsyncIterator[Terminal]:
    """Run a program on a terminal; it is killed in the end, if it still runs."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    variables = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    process = await asyncio.create_subprocess_exec(
        *("setsid", "--ctty", *command),  # so that Ctrl-C reaches it
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=variables | {"TERM": "xterm-256color"} | environment,
    )
    os.close(theirs)
    started, shown, loop = time.monotonic(), Terminal(process, ours), asyncio.get_running_loop()

    def read() -> None:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the program has ended
            data = b""
        if data:
            shown.written.append((time.monotonic() - started, data))
        else:
            loop.remove_reader(ours)

    loop.add_reader(ours, read)
    try:
        yield shown
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(ours)
        os.close(ours)
