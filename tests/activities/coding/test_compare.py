"""What a task has changed."""

from temporalio.testing import ActivityEnvironment

from activities.coding.compare import MAX_FILES, ChangedFile, CompareActivity, CompareRequest, Comparison
from tests.activities.coding.conftest import OWNER, StartedTask


async def compare(task: StartedTask, before: dict[str, str], after: dict[str, str]) -> Comparison:
    (_, old), (_, new) = await task.begin(before), await task.begin(after)
    activity = CompareActivity(task.storage, task.runner.workspace_limits)
    return await ActivityEnvironment().run(activity.compare, CompareRequest(owner=OWNER, before=old, after=new))


async def test_a_patch_and_its_figures(task: StartedTask) -> None:
    found = await compare(task, {"a.txt": "one\n", "b.txt": "x\n"}, {"a.txt": "two\n", "c.txt": "y\nz\n"})
    assert found.files == (
        ChangedFile(path="a.txt", kind="changed", added=1, removed=1),
        ChangedFile(path="b.txt", kind="deleted", added=0, removed=1),
        ChangedFile(path="c.txt", kind="added", added=2, removed=0),
    )
    assert (found.changed, found.added, found.removed) == (3, 3, 2)
    patch = (await task.storage.get(found.patch, 10_000)).decode()
    assert "-one\n+two\n" in patch


async def test_nothing_changed(task: StartedTask) -> None:
    found = await compare(task, {"a.txt": "one\n"}, {"a.txt": "one\n"})
    assert (found.changed, found.files, found.patch.bytes) == (0, (), 0)


async def test_what_is_named_is_bounded(task: StartedTask) -> None:
    found = await compare(task, {}, {f"{number}.txt": "x\n" for number in range(MAX_FILES + 30)})
    assert (len(found.files), found.changed) == (MAX_FILES, MAX_FILES + 30)
