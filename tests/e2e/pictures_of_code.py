"""Record ``june code`` with the default model anew, as docs/coding.md shows it."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.support.terminal import terminal
from tests.support.terminal_recording import record, svg
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, StorageSettings, WorkerSettings

FILE = PROJECT / "docs" / "images" / "june-code.svg"
COLUMNS, ROWS, SPEED = 100, 34, 4
TASK_SECONDS = 900
TASK = "add() subtracts, as the test says. Mend it."
FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
}


async def take() -> None:
    """Give the agent a small task, and apply what it has done."""
    with tempfile.TemporaryDirectory() as temporary:
        home, folder = Path(temporary) / "home", Path(temporary) / "sums"
        for path in (home, folder):
            path.mkdir(mode=0o700)
        (home / "models").symlink_to(StorageSettings().models)
        for name, content in FILES.items():
            (folder / name).write_text(content)
        async with Embedded(
            StorageSettings(home=home), own_ports(), work=WorkerSettings(engines="model"), optional=[Role.SANDBOX]
        ) as stack:
            environment = {"TEMPORAL_ADDRESS": stack.address, "JUNE_HOME": str(home)}
            # As it is called in a folder beside the project.
            words = ("-c", "import sys; sys.argv[0] = 'june'; from workers.cli import main; main()")
            command = (sys.executable, *words, "code", TASK, "--workspace", str(folder))
            async with terminal(command, environment, COLUMNS, 200) as shown:
                await shown.shows("Apply to", TASK_SECONDS)
                await asyncio.sleep(3)
                shown.press("y\n")
                await asyncio.wait_for(shown.process.wait(), 60)
                await asyncio.sleep(0.2)
        begin = shown.written[0][0] - 1
        prompt = f'$ june code "{TASK}" --workspace {folder.name}\r\n'.encode()
        written = [(0.0, prompt), *((seconds - begin, data) for seconds, data in shown.written)]
        hidden = [(seconds, data.replace(f"{folder.parent}{os.sep}".encode(), b"")) for seconds, data in written]
        rows, seconds = record(hidden, ROWS, every_seconds=1.0)
        FILE.write_text(svg(rows, seconds, columns=COLUMNS, speed=SPEED), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(take())
