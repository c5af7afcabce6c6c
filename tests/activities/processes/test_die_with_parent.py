"""Programs that die with their parent, however it ends: real processes."""

import asyncio
import os
import subprocess
import sys

import psutil

from activities.processes import die_with_parent
from tests.support.waiting import until

PARENT = """
import subprocess, time
from activities.processes import die_with_parent

child = subprocess.Popen(die_with_parent.command("sleep", "600"), stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(600)
"""


def is_running(process: psutil.Process) -> bool:
    """Check whether a process runs; one that only waits to be collected does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_the_program_dies_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=subprocess.PIPE)
    assert parent.stdout
    child = psutil.Process(int(await parent.stdout.readline()))
    await until(lambda: child.name() == "sleep", 5)  # from then on the kernel was asked
    parent.kill()
    await parent.wait()
    await until(lambda: not is_running(child), 5)


def test_a_program_whose_parent_has_ended_is_not_begun() -> None:
    *runner, _parent = die_with_parent.command()
    for parent, code in ((os.getpid(), 0), (os.getpid() + 1, 1)):
        assert subprocess.run([*runner, str(parent), "true"], check=False).returncode == code
