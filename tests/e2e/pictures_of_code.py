"""Record ``june code`` with the default model anew, and a task in Temporal's Web UI, as docs/coding.md shows them."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from temporalio.client import Client

from tests.support.chromium import chromium
from tests.support.terminal import terminal
from tests.support.terminal_recording import record, svg
from tests.support.web_ui import WebUi
from tests.workers.conftest import prepared_home
from workers.clients.coding import cancel, follow, full_id, start_task
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, LlmSettings, WorkerSettings
from workflows.coding.contracts import CodingRequest, CodingStage

IMAGES = PROJECT / "docs" / "images"
FILE = IMAGES / "june-code.svg"
COLUMNS, ROWS, SPEED = 100, 34, 4
TASK_SECONDS = 900
TASK = "add() subtracts, as the test says. Mend it."
LONGER = (
    "Write roman.py with a function to_roman(number) for 1 to 3999, then its tests in test_roman.py, then a README.md "
    "that shows how it is used: one file in each step."
)
FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
}


async def take() -> None:
    """Give the agent a small task, and apply what it has done."""
    with tempfile.TemporaryDirectory() as temporary:
        storage, folder = prepared_home(Path(temporary) / "home"), Path(temporary) / "sums"
        folder.mkdir(mode=0o700)
        for name, content in FILES.items():
            (folder / name).write_text(content)
        llm, work = LlmSettings(context_tokens=8192), WorkerSettings(engines="model")
        async with Embedded(storage, own_ports(), llm, work, optional=[Role.SANDBOX, Role.WEB]) as stack:
            environment = {"TEMPORAL_ADDRESS": stack.address, "JUNE_HOME": str(storage.home)}
            # As it is called in a folder beside the project.
            words = ("-c", "import sys; sys.argv[0] = 'june'; from workers.cli import main; main()")
            command = (sys.executable, *words, "code", TASK, "--workspace", str(folder))
            async with terminal(command, environment, COLUMNS, 200) as shown:
                await shown.shows("Apply to", TASK_SECONDS)
                await asyncio.sleep(3)
                shown.press("y\n")
                await asyncio.wait_for(shown.process.wait(), 60)
                await asyncio.sleep(0.2)
            assert stack.ui_url
            await picture(stack.client, stack.ui_url)
        begin = shown.written[0][0] - 1
        prompt = f'$ june code "{TASK}" --workspace {folder.name}\r\n'.encode()
        written = [(0.0, prompt), *((seconds - begin, data) for seconds, data in shown.written)]
        hidden = [(seconds, data.replace(f"{folder.parent}{os.sep}".encode(), b"")) for seconds, data in written]
        rows, seconds = record(hidden, ROWS, every_seconds=1.0)
        FILE.write_text(svg(rows, seconds, columns=COLUMNS, speed=SPEED), encoding="utf-8")


async def picture(client: Client, ui_url: str) -> None:
    """Look at a task that works on its second step."""
    handle = await start_task(client, CodingRequest(task=LONGER), "roman")
    async with chromium() as browser:
        async for news in follow(handle):
            if news.status and news.status.step > 1 and news.status.stage is CodingStage.THINK:
                await WebUi(browser, ui_url, IMAGES).details(full_id("roman"), "running", "coding-task")
                break
    await cancel(handle)


if __name__ == "__main__":
    asyncio.run(take())
