"""What an agent begins with, tried in the real sandbox."""

from temporalio.testing import ActivityEnvironment

from activities.benchmarks.set_up import SetUpActivity, SetUpRequest
from activities.benchmarks.task_files import TaskFiles
from activities.coding.running import Runner
from activities.coding.storage import CodingStorage
from agent.commands import PYTEST, shell
from tests.activities.benchmarks.conftest import pinned


async def set_up(
    task_files: TaskFiles, storage: CodingStorage, runner: Runner, task: str, data_set: str = "humaneval"
) -> tuple[str, dict[str, str], bytes]:
    """Return the text, the files, and the workspace."""
    request = SetUpRequest(pinned=pinned(data_set), task=task, sample=0)
    begun = await ActivityEnvironment().run(SetUpActivity(task_files, storage, runner).set_up, request)
    data = await storage.get(begun.workspace, 10_000_000)
    archive = await runner.load(data)
    return begun.text, {path: archive.read(path).decode() for path in archive.paths()}, data


async def test_examples_of_the_docstring_become_tests_that_the_stub_fails(
    task_files: TaskFiles, storage: CodingStorage, runner: Runner
) -> None:
    text, files, workspace = await set_up(task_files, storage, runner, "HumanEval/0")
    assert "has_close_elements" in text
    assert sorted(files) == ["solution.py", "test_examples.py"]
    assert "assert has_close_elements([1.0, 2.0, 3.0], 0.5) == False" in files["test_examples.py"]
    assert "METADATA" not in "".join(files.values()), "the hidden test"
    result, _ = await ActivityEnvironment().run(runner.run, shell(PYTEST), workspace)
    assert "2 failed" in result.output


async def test_examples_that_the_reference_fails_are_left_out(
    task_files: TaskFiles, storage: CodingStorage, runner: Runner
) -> None:
    _, files, _ = await set_up(task_files, storage, runner, "HumanEval/47")
    assert sorted(files) == ["solution.py"]


async def test_other_kinds_begin_with_their_own_files(
    task_files: TaskFiles, storage: CodingStorage, runner: Runner
) -> None:
    (_, tasks) = await task_files.read("june-repair")
    task = next(iter(tasks.values()))
    _, files, _ = await set_up(task_files, storage, runner, task.id, "june-repair")
    assert files == task.files
