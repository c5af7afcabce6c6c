"""What any backend promises; all that are at hand are tried."""

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from activities.sandbox.backends import open_backend
from activities.sandbox.launching import NOTHING
from activities.sandbox.owner import is_dead
from activities.sandbox.sandbox import Command, Sandbox, SandboxError, Sandboxes, SandboxLimits
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LIMITS = SandboxLimits(
    memory_bytes=256 << 20, workspace_bytes=1 << 20, workspace_files=20, output_bytes=1000, seconds=60
)
WORKER = """
import asyncio, sys
from activities.sandbox.backends import open_backend
from activities.sandbox.launching import NOTHING
from activities.sandbox.owner import this_worker
from activities.sandbox.sandbox import Command, SandboxLimits

async def main():
    sandbox = await open_backend(sys.argv[1]).create("left", NOTHING, SandboxLimits())
    print(this_worker(), flush=True)
    await sandbox.exec(Command(("bash", "-c", "setsid sleep 9713 & sleep 9713")))

asyncio.run(main())
"""


@pytest.fixture(scope="module", params=["bubblewrap", "podman"])
async def sandboxes(request: pytest.FixtureRequest) -> Sandboxes:
    backend = open_backend(request.param, uid=61081)
    try:
        await backend.isolation()
    except SandboxError as error:
        pytest.skip(str(error))
    return backend


@pytest.fixture
async def sandbox(sandboxes: Sandboxes) -> AsyncIterator[Sandbox]:
    sandbox = await sandboxes.create("one", archive(**{"data.txt": b"first\n"}), LIMITS)
    yield sandbox
    await sandbox.destroy()


def archive(**files: bytes) -> bytes:
    """Pack files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return data.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return the files of an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        return {member.name: (packed.extractfile(member) or io.BytesIO()).read() for member in packed}


def shell(line: str, stdin: bytes = b"", seconds: float | None = None) -> Command:
    return Command(("bash", "-c", line), stdin, seconds)


def processes(marker: str) -> list[str]:
    """Find processes by their arguments."""
    found = psutil.process_iter(["cmdline", "status"])
    return [
        f"{process.pid}: {process.info['cmdline']}"
        for process in found
        if marker in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


async def test_the_isolation_that_is_in_force_is_told(sandboxes: Sandboxes) -> None:
    isolation = await sandboxes.isolation()
    assert {"no network", "seccomp", "no capabilities"} <= set(isolation.holds)
    assert isolation.backend.split()[0] in ("bubblewrap", "podman")
    assert any("memory" in line for line in (*isolation.holds, *isolation.lacks))


async def test_a_workspace_goes_from_command_to_command(sandbox: Sandbox) -> None:
    result = await sandbox.exec(shell("cat data.txt; cat; echo more >> data.txt; mkdir d; echo x > d/e; exit 3", b"in"))
    assert (result.exit_code, result.output, result.truncated) == (3, "first\nin", False)
    assert unpacked(await sandbox.snapshot()) == {"d": b"", "d/e": b"x\n", "data.txt": b"first\nmore\n"}
    result = await sandbox.exec(shell("rm -r d; ls; cat data.txt >&2"))
    assert (result.exit_code, result.output) == (0, "data.txt\nfirst\nmore\n")


async def test_a_workspace_is_restored(sandbox: Sandbox) -> None:
    before = await sandbox.snapshot()
    await sandbox.exec(shell("rm data.txt; echo x > y"))
    await sandbox.restore(before)
    assert (await sandbox.exec(shell("ls"))).output == "data.txt\n"


async def test_python_and_pytest_are_there(sandbox: Sandbox) -> None:
    await sandbox.restore(archive(**{"test_it.py": b"def test_it():\n    assert 1 + 1 == 2\n"}))
    result = await sandbox.exec(shell("python --version && python -m pytest -q && pytest -q | tail -n 1; ls -A"))
    assert result.output.startswith("Python 3")
    assert result.output.count("1 passed") == 2
    assert list(unpacked(await sandbox.snapshot())) == ["test_it.py"]  # no caches


async def test_output_is_bounded_with_its_beginning_and_end(sandbox: Sandbox) -> None:
    result = await sandbox.exec(shell("echo begin; head -c 100000 /dev/zero | tr '\\0' x; printf '\\377end'"))
    assert result.truncated
    assert result.output.startswith("begin\nxxx")
    assert result.output.endswith("x\ufffdend")
    assert "[... 99010 bytes left out ...]" in result.output


async def test_a_command_ends_at_its_time(sandbox: Sandbox) -> None:
    result = await sandbox.exec(shell("echo a; trap '' TERM; sleep 60 & sleep 60", seconds=0.5))
    assert (result.exit_code, result.output, result.timed_out) == (None, "a\n", True)
    assert 0.5 <= result.seconds < 30


async def test_a_command_that_takes_too_much_memory_is_killed(sandbox: Sandbox) -> None:
    result = await sandbox.exec(Command(("python3", "-c", "x = bytearray(10**9); print(sum(x))")))
    assert result.exit_code != 0
    assert result.out_of_memory or "MemoryError" in result.output


async def test_signals_and_programs_that_are_not_there(sandbox: Sandbox) -> None:
    assert (await sandbox.exec(shell("kill -9 $$"))).exit_code is None
    result = await sandbox.exec(Command(("no-such-program",)))
    assert (result.exit_code, result.output) == (127, "no-such-program: not found\n")


async def test_a_workspace_that_is_too_large_is_not_taken(sandbox: Sandbox) -> None:
    for line in ("for i in $(seq 30); do echo > $i; done", "head -c 1040000 /dev/zero > a; cp a b"):
        result = await sandbox.exec(shell(line))
        assert "as it was before" in " ".join(result.remarks)
        assert list(unpacked(await sandbox.snapshot())) == ["data.txt"]


async def test_cancelling_kills_the_command(sandbox: Sandbox) -> None:
    task = asyncio.create_task(sandbox.exec(shell("setsid sleep 9711 & sleep 9711")))
    await until(lambda: len(processes("9711")) >= 2, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes("9711") == []
    assert (await sandbox.exec(shell("cat data.txt"))).output == "first\n"


async def test_destroying_kills_the_command_and_can_be_repeated(sandbox: Sandbox) -> None:
    task = asyncio.create_task(sandbox.exec(shell("sleep 9712")))
    await until(lambda: processes("9712") != [], 60)
    await sandbox.destroy()
    with pytest.raises(SandboxError, match="destroyed"):
        await task
    assert processes("9712") == []
    await sandbox.destroy()
    with pytest.raises(SandboxError, match="destroyed"):
        await sandbox.exec(shell("true"))
    assert not await sandbox.health()


async def test_the_same_name_is_another_sandbox(sandboxes: Sandboxes, sandbox: Sandbox) -> None:
    again = await sandboxes.create("one", NOTHING, LIMITS)
    assert (await again.exec(shell("ls"))).output == ""
    assert await again.health()
    assert not await sandbox.health()


async def test_nothing_blocks_the_event_loop_and_commands_run_side_by_side(sandboxes: Sandboxes) -> None:
    both = [await sandboxes.create(name, NOTHING, LIMITS) for name in ("left", "right")]
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    counting = asyncio.create_task(count())
    results = await asyncio.gather(*(one.exec(shell("sleep 1; hostname")) for one in both))
    counting.cancel()
    assert [result.output for result in results] == ["sandbox\n"] * 2
    assert turns > 10


async def test_a_worker_that_is_killed_leaves_nothing(sandboxes: Sandboxes) -> None:
    name = (await sandboxes.isolation()).backend.split()[0]
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, name, stdout=subprocess.PIPE)
    assert worker.stdout
    owner = (await worker.stdout.readline()).decode().strip()
    await until(lambda: len(processes("9713")) >= 2, 60)
    assert left_by(owner)
    worker.kill()
    await worker.wait()
    await until(lambda: processes("9713") == [] and is_dead(owner), 60)
    await sandboxes.reap()
    await until(lambda: left_by(owner) == [], 60)


def left_by(owner: str) -> list[str]:
    """Name cgroups, folders, mounts and containers of a worker."""
    found = [name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names if owner in name]
    found += [str(path) for path in Path(tempfile.gettempdir()).glob(f"june-sandbox-{owner}*")]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if owner in line]
    if shutil.which("podman"):
        listed = subprocess.run(["podman", "ps", "--all"], capture_output=True, text=True, check=False).stdout
        found += [line for line in listed.splitlines() if owner in line]
    return found
