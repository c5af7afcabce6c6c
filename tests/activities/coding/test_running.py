"""Commands and tests of a task."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.coding.running import WorkspaceLimits, working
from activities.sandbox.archive import Archive, ArchiveError
from activities.sandbox.sandbox import ExecResult
from agent.transcript import Remark, Task
from tests.activities.coding.conftest import StartedTask

EMPTY = Archive(1000, 10).dump()


async def test_tests_run_where_there_are_some(task: StartedTask) -> None:
    async def run(entry: Task | Remark) -> ExecResult | None:
        return await ActivityEnvironment().run(task.runner.test, (entry,), EMPTY, [])

    assert await run(Task(text="x")) is None
    result = await run(Task(text="x", test_command="pwd; id -u"))
    assert result
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "/workspace"
    with pytest.raises(ApplicationError):
        await run(Remark(text="x", by="june"))


def test_the_largest_archive_of_a_workspace_is_read() -> None:
    limits = WorkspaceLimits(1000, 20)
    archive = Archive(*limits)
    for number in range(20):
        archive.write("x" * 200 + f"{number}", bytes(50))
    assert len(archive.dump()) < limits.archive_bytes


async def test_failures_get_their_codes() -> None:
    async def fail() -> None:
        async with working():
            raise ArchiveError("archive-damaged", "Damaged.")

    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(fail)
    assert failed.value.type == "archive-damaged"
