"""Steps in a real sandbox."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.coding.act import ActRequest, SandboxActivities, VerifyRequest
from agent.actions import Action, Edit, Finish, Read, Run, RunTests, Search, Write
from tests.activities.coding.conftest import OWNER, StartedTask

PASSING = {
    "calc.py": "def add(a, b):\n    return a + b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}
FAILING = {**PASSING, "calc.py": "def add(a, b):\n    return a - b\n"}


async def test_a_command_leaves_another_workspace(task: StartedTask) -> None:
    transcript, before = await task.begin({"a.txt": "one\n"})
    acted = await task.act(transcript, before, Run(command="cat a.txt; echo two > b.txt; exit 3"))
    assert acted.line == "Exit code 3"
    assert await task.told(acted) == "Exit code 3, output:\none"
    assert await task.files(acted.workspace) == {"a.txt": "one\n", "b.txt": "two\n"}
    assert await task.files(before) == {"a.txt": "one\n"}, "which an interrupted step goes back to"
    assert acted.tests_passed is None


async def test_a_command_that_changes_nothing_leaves_the_same(task: StartedTask) -> None:
    transcript, before = await task.begin({"a.txt": "one\n"})
    acted = await task.act(transcript, before, Run(command="mkdir -p x && rmdir x; ls"))
    assert acted.workspace == before


async def test_what_no_workspace_holds_is_left_out(task: StartedTask) -> None:
    transcript, before = await task.begin({"a.txt": "one\n"})
    command = "ln -s /etc/passwd out; mkfifo pipe; mkdir -p .git/hooks node_modules; touch .git/hooks/x; ln -s a.txt in"
    acted = await task.act(transcript, before, Run(command=command))
    assert await task.files(acted.workspace) == {"a.txt": "one\n"}
    archive = await task.runner.load(await task.storage.get(acted.workspace, 10_000_000))
    assert sorted(archive.entries()) == ["a.txt", "in"]


async def test_nothing_outlives_its_step(task: StartedTask) -> None:
    transcript, before = await task.begin({})
    acted = await task.act(transcript, before, Run(command="(setsid sleep 300 &) ; echo begun"))
    acted = await task.act(acted.transcript, acted.workspace, Run(command="ls /proc | grep -c '^[0-9]'"), step=2)
    assert int((await task.told(acted)).splitlines()[-1]) < 8


@pytest.mark.parametrize(("command", "line"), [("sleep 60", "Killed: it took too long"), ("kill -9 $$", "Killed")])
async def test_a_command_that_does_not_end_by_itself(task: StartedTask, command: str, line: str) -> None:
    transcript, before = await task.begin({})
    acted = await task.act(transcript, before, Run(command=command, seconds=0.5))
    assert acted.line == line


async def test_files_are_read_written_and_edited(task: StartedTask) -> None:
    transcript, workspace = await task.begin({"a.txt": "one\n"})
    actions: list[Action] = [
        Read(path="a.txt"),
        Write(path="b/c.txt", content="new\n"),
        Edit(path="a.txt", old="one", new="two"),
    ]
    for step, action in enumerate(actions, 1):
        acted = await task.act(transcript, workspace, action, step)
        transcript, workspace = acted.transcript, acted.workspace
    assert await task.files(workspace) == {"a.txt": "two\n", "b/c.txt": "new\n"}
    acted = await task.act(transcript, workspace, Read(path="../../etc/passwd"), 4)
    assert "outside the workspace" in await task.told(acted)
    assert acted.workspace == workspace


async def test_a_link_leads_nowhere(task: StartedTask) -> None:
    transcript, before = await task.begin({"a.txt": "one\n"})
    acted = await task.act(transcript, before, Run(command="ln -s a.txt link; ln -s /etc/hostname host"))
    for step, path in enumerate(("link", "host"), 2):
        acted = await task.act(acted.transcript, acted.workspace, Read(path=path), step)
        assert (await task.told(acted)).startswith("Error:")


async def test_text_is_searched(task: StartedTask) -> None:
    transcript, workspace = await task.begin({"a/b.py": "import os\n", "c.py": "x = 1\n"})
    acted = await task.act(transcript, workspace, Search(pattern="^import"))
    assert "b.py:1:import os" in await task.told(acted)
    acted = await task.act(acted.transcript, workspace, Search(pattern="(a+)+$" * 20, path="-v"), 2)
    assert acted.workspace == workspace


@pytest.mark.slow
async def test_each_change_is_followed_by_what_the_tests_say(task: StartedTask) -> None:
    transcript, workspace = await task.begin(FAILING)
    acted = await task.act(transcript, workspace, RunTests())
    assert (acted.line, acted.tests_passed, acted.workspace) == ("1 failed", False, workspace)
    assert "assert -1 == 3" in await task.told(acted)
    acted = await task.act(acted.transcript, workspace, Edit(path="calc.py", old="a - b", new="a + b"), 2)
    assert (acted.line, acted.tests_passed) == ("1 passed", True)
    assert "The tests pass" in await task.told(acted)
    acted = await task.act(acted.transcript, acted.workspace, Finish(summary="It adds."), 3)
    assert (acted.done, acted.tests_passed) == (True, True)
    assert set(await task.files(acted.workspace)) == set(FAILING), "no caches of the tests"


@pytest.mark.slow
async def test_a_finish_with_failing_tests_counts_at_the_third_time(task: StartedTask) -> None:
    transcript, workspace = await task.begin(FAILING)
    ends = []
    for step in range(1, 4):
        acted = await task.act(transcript, workspace, Finish(summary="It adds."), step)
        transcript = acted.transcript
        ends.append((acted.done, acted.tests_passed))
    assert ends == [(False, False), (False, False), (True, False)]


async def test_without_tests_a_finish_counts(task: StartedTask) -> None:
    transcript, workspace = await task.begin({"a.txt": "one\n"})
    acted = await task.act(transcript, workspace, Finish(summary="Done."))
    assert (acted.done, acted.tests_passed) == (False, None), "nothing was done"
    acted = await task.act(acted.transcript, workspace, RunTests(), 2)
    assert acted.tests_passed is None
    acted = await task.act(acted.transcript, workspace, Finish(summary="Done."), 3)
    assert (acted.done, acted.tests_passed) == (True, None)


async def test_the_tasks_own_command_decides(task: StartedTask) -> None:
    transcript, workspace = await task.begin({"a.txt": "one\n"}, test_command="grep -q two a.txt")
    acted = await task.act(transcript, workspace, Write(path="a.txt", content="two\n"))
    assert (acted.line, acted.tests_passed) == ("Exit code 0", True)
    verify = SandboxActivities(task.storage, task.transcripts, task.runner).verify
    for ref, passed in ((workspace, False), (acted.workspace, True)):
        request = VerifyRequest(transcript=acted.transcript, workspace=ref)
        assert (await ActivityEnvironment().run(verify, request)).passed is passed


async def test_a_superseded_workspace_is_deleted_and_a_missing_one_is_a_code(task: StartedTask) -> None:
    transcript, workspace = await task.begin({"a.txt": "one\n"})
    acted = await task.act(transcript, workspace, Write(path="a.txt", content="two\n"))
    acted = await task.act(acted.transcript, acted.workspace, Finish(summary=""), 2)
    activities = SandboxActivities(task.storage, task.transcripts, task.runner)
    transcript = acted.transcript
    request = ActRequest(owner=OWNER, step=3, transcript=transcript, workspace=acted.workspace, superseded=workspace)
    with pytest.raises(ApplicationError) as wrong:
        await ActivityEnvironment().run(activities.act, request)
    assert wrong.value.type == "internal", "the transcript ends with an observation"
    with pytest.raises(ApplicationError) as missing:
        await ActivityEnvironment().run(activities.verify, VerifyRequest(transcript=transcript, workspace=workspace))
    assert (missing.value.type, missing.value.non_retryable) == ("workspace-missing", True)


async def test_a_workspace_that_grows_too_large(task: StartedTask) -> None:
    """The command finds the disk full; a workspace that holds too much is what it was before the command."""
    transcript, workspace = await task.begin({})
    acted = await task.act(transcript, workspace, Run(command="head -c 100M /dev/zero > big; rm big; echo went on"))
    assert "limit exceeded" in await task.told(acted)
    assert "went on" in await task.told(acted)
    fill = "for i in 1 2 3 4 5 6; do head -c 1M /dev/zero > $i; done"
    acted = await task.act(acted.transcript, acted.workspace, Run(command=fill), 2)
    assert "No space left" in await task.told(acted)
    assert "as it was before this command" in await task.told(acted)
    assert await task.files(acted.workspace) == {}
