"""Workspaces at first."""

from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.coding.prepare import PrepareActivity, Prepared, PrepareRequest
from agent.transcript import Observation, Task
from tests.activities.coding.conftest import OWNER, StartedTask


async def prepare(task: StartedTask, roots: list[Path], **fields: object) -> Prepared:
    request = PrepareRequest.model_validate({"owner": OWNER, "task": "Do it.", **fields})
    activity = PrepareActivity(task.storage, task.transcripts, task.runner, roots)
    return await ActivityEnvironment().run(activity.prepare, request)


async def test_nothing_is_an_empty_workspace(task: StartedTask) -> None:
    prepared = await prepare(task, [])
    assert (prepared.files, prepared.skipped) == (0, ())
    assert "no network" in prepared.isolation
    assert await task.files(prepared.workspace) == {}
    assert await task.transcripts.read(prepared.transcript) == (Task(text="Do it."),)


async def test_a_stored_workspace_is_taken(task: StartedTask) -> None:
    _, stored = await task.begin({"a.txt": "one\n"})
    prepared = await prepare(task, [], workspace=stored)
    assert prepared.workspace == stored
    _, known = await task.transcripts.read(prepared.transcript)
    assert isinstance(known, Observation)
    assert "a.txt" in known.text
    assert "one" in known.text


async def test_a_folder_below_a_root_is_copied(task: StartedTask, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.txt").write_text("one\n")
    (folder / "out").symlink_to("/etc/passwd")
    prepared = await prepare(task, [tmp_path], folder=str(folder))
    assert await task.files(prepared.workspace) == {"a.txt": "one\n"}
    assert len(prepared.skipped) == 1
    assert prepared.skipped[0].startswith("out:")


@pytest.mark.parametrize(
    ("folder", "code"),
    [("/etc", "workspace-forbidden"), ("link", "workspace-forbidden"), ("nowhere", "workspace-missing")],
)
async def test_other_folders_are_refused(task: StartedTask, tmp_path: Path, folder: str, code: str) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(ApplicationError) as refused:
        await prepare(task, [tmp_path], folder=str(tmp_path / folder))
    assert (refused.value.type, refused.value.non_retryable) == (code, True)


async def test_by_default_no_folder_is_copied(task: StartedTask, tmp_path: Path) -> None:
    with pytest.raises(ApplicationError) as refused:
        await prepare(task, [], folder=str(tmp_path))
    assert refused.value.type == "workspace-forbidden"


async def test_a_folder_that_is_too_large_is_refused(task: StartedTask, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(5 << 20))
    with pytest.raises(ApplicationError) as refused:
        await prepare(task, [tmp_path], folder=str(tmp_path))
    assert (refused.value.type, refused.value.non_retryable) == ("workspace-too-large", True)


@pytest.mark.slow
async def test_how_the_tests_go_at_first_is_told(task: StartedTask) -> None:
    _, stored = await task.begin({"test_a.py": "def test_a():\n    assert 1 == 2\n"})
    prepared = await prepare(task, [], workspace=stored)
    _, known = await task.transcripts.read(prepared.transcript)
    assert isinstance(known, Observation)
    assert "The tests fail (1 failed)" in known.text
