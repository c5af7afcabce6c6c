"""Hostile files through the whole stack, engines doing nothing: each gets its code, and the worker lives on."""

import psutil
import pytest

from tests.support.chat import Chat
from tests.support.hostile_files import FILES
from workers.local.stack import Embedded
from workers.settings import PROJECT

pytestmark = pytest.mark.e2e

GOOD = PROJECT / "tests" / "data" / "jfk.flac"
MOST_MS = 10_000


@pytest.fixture(scope="module")
def worker(idle: Embedded) -> psutil.Process:
    """The process that meets them, as it was before the first."""
    return psutil.Process(idle.pids["worker-file"])


@pytest.mark.parametrize("name", FILES)
async def test_each_gets_its_code(idle: Embedded, worker: psutil.Process, name: str) -> None:
    make, code = FILES[name]
    chat = Chat(idle)
    message = await chat.send(make())
    result = await chat.result(message)
    assert result.error == code
    assert result.status == ("refused" if code else "answered")
    assert result.total_ms < MOST_MS
    assert chat.reply(message).exists() is (code is None)
    assert chat.text(message).strip(), "the user is told in any case"
    assert idle.pids["worker-file"] == worker.pid
    assert worker.is_running()


async def test_then_a_good_one_is_answered(idle: Embedded, worker: psutil.Process) -> None:
    assert (await Chat(idle).ask(GOOD.read_bytes())).status == "answered"
    assert idle.pids["worker-file"] == worker.pid


@pytest.mark.parametrize(
    ("locator", "code"),
    [
        ("/etc/passwd", "audio-forbidden"),
        ("../../../../etc/passwd", "audio-forbidden"),
        ("blob:../../temporal.db", "audio-forbidden"),
        ("nothing.ogg", "audio-missing"),
        (f"blob:file/other/{'0' * 64}.upload", "audio-missing"),
    ],
)
async def test_what_is_not_given_is_not_read(idle: Embedded, locator: str, code: str) -> None:
    chat = Chat(idle)
    result = await chat.result(await chat.point(locator))
    assert (result.status, result.error) == ("refused", code)
