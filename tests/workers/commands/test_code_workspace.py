"""The folder of a coding task: packed, stored, remembered, changed."""

import os
import stat
import time
from pathlib import Path

import pytest

from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Owner
from activities.sandbox.archive import Archive
from activities.values import BlobRef
from workers.commands import code_workspace as workspace
from workers.commands.code_workspace import Remembered, recall, remember
from workers.errors import JuneError
from workers.settings import StorageSettings
from workflows.coding.contracts import CodingOutcome, CodingReport


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorageSettings:
    """Name a home of its own."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path / "home"))
    return StorageSettings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of two files."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("a = 1\n")
    (folder / "b.py").write_text("b = 1\n")
    return folder


async def changed(name: str, before: BlobRef) -> CodingReport:
    """Store a workspace that differs, and report it."""
    stored = CodingStorage(BlobStore.open(StorageSettings().blobs))
    archive = Archive.load(await stored.get(before, 1 << 20), 1 << 20, 100)
    archive.write("a.py", b"a = 2\n")
    archive.remove("b.py")
    after = await stored.put_workspace(Owner(chat=name), archive.dump())
    return CodingReport(outcome=CodingOutcome.FINISHED, baseline=before, workspace=after)


async def test_a_folder_is_stored_and_its_changes_are_applied(storage: StorageSettings, folder: Path) -> None:
    before, packed = await workspace.store_folder(folder, "task")
    assert (packed.files, before.key.split("/")[:2]) == (2, ["code", "task"])
    remembered = recall(storage, "task")
    assert remembered == Remembered(folder=folder, workspace=before)
    workspaces = await workspace.load_workspaces(await changed("task", before), remembered)
    assert "-a = 1\n+a = 2\n" in workspaces.patch()
    applied = workspace.apply(workspaces, folder, "task")
    assert (applied.written, applied.removed) == (("a.py",), ("b.py",))
    assert ((folder / "a.py").read_text(), (folder / "b.py").exists()) == ("a = 2\n", False)


async def test_what_was_packed_here_counts_not_what_the_report_says(storage: StorageSettings, folder: Path) -> None:
    before, _ = await workspace.store_folder(folder, "task")
    report = await changed("task", before)
    lying = report.model_copy(update={"baseline": report.workspace})
    assert (await workspace.load_workspaces(lying, None)).patch() == ""
    assert (await workspace.load_workspaces(lying, recall(storage, "task"))).patch()


async def test_a_changed_folder_and_one_that_cannot_be_written_are_told(storage: StorageSettings, folder: Path) -> None:
    before, _ = await workspace.store_folder(folder, "task")
    workspaces = await workspace.load_workspaces(await changed("task", before), None)
    (folder / "a.py").write_text("mine\n")
    with pytest.raises(JuneError, match=r"a\.py\. The patch is kept: june code diff task > task\.patch"):
        workspace.apply(workspaces, folder, "task")
    assert (folder / "b.py").exists(), "all or none"
    with pytest.raises(JuneError, match="cannot be written"):
        workspace.apply(workspaces, folder / "gone", "task")


async def test_what_is_not_there_is_told(storage: StorageSettings, folder: Path) -> None:
    with pytest.raises(JuneError, match="nothing was done"):
        await workspace.load_workspaces(CodingReport(outcome=CodingOutcome.FAILED), None)
    before, _ = await workspace.store_folder(folder, "task")
    report = await changed("task", before)
    await BlobStore.open(storage.blobs).delete_chat("code", "task")
    with pytest.raises(JuneError, match="kept for 168 hours"):
        await workspace.load_workspaces(report, None)


@pytest.mark.usefixtures("storage")
async def test_what_cannot_be_packed_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(JuneError, match="workspace-unreadable"):
        await workspace.store_folder(folder / "gone", "task")
    monkeypatch.setenv("JUNE_SANDBOX_WORKSPACE_MB", "1")
    (folder / "large").write_bytes(b"x" * (2 << 20))
    with pytest.raises(JuneError, match="workspace-too-large"):
        await workspace.store_folder(folder, "task")


async def test_a_home_that_cannot_be_written_is_a_sentence(storage: StorageSettings, folder: Path) -> None:
    storage.home.mkdir()
    (storage.home / "blobs").touch()
    with pytest.raises(JuneError, match="JUNE_HOME"):
        await workspace.store_folder(folder, "task")


async def test_what_is_remembered_is_for_its_owner_alone(storage: StorageSettings, folder: Path) -> None:
    umask = os.umask(0)
    try:
        await workspace.store_folder(folder, "task")
    finally:
        os.umask(umask)
    file = storage.home / "code" / "task.json"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]


@pytest.mark.parametrize("name", ["other", "", ".", "..", "../code/task", "/etc/passwd", "a/b", "x" * 101, "a\0b"])
async def test_hostile_names_lead_nowhere(storage: StorageSettings, folder: Path, name: str) -> None:
    await workspace.store_folder(folder, "task")
    assert recall(storage, name) is None


async def test_what_others_could_have_written_counts_for_nothing(
    storage: StorageSettings, folder: Path, tmp_path: Path
) -> None:
    await workspace.store_folder(folder, "task")
    file = storage.home / "code" / "task.json"
    file.chmod(0o666)
    with pytest.raises(JuneError, match="--workspace"):
        recall(storage, "task")
    file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(JuneError, match="--workspace"):
        recall(storage, "task")
    file.unlink()
    file.write_text("{")
    file.chmod(0o600)
    with pytest.raises(JuneError, match="--workspace"):
        recall(storage, "task")


async def test_what_is_deleted_by_now_is_forgotten(storage: StorageSettings, folder: Path) -> None:
    before, _ = await workspace.store_folder(folder, "old")
    old = storage.home / "code" / "old.json"
    long_ago = time.time() - 3600 * storage.retention_hours - 60
    os.utime(old, (long_ago, long_ago))
    remember(storage, "new", Remembered(folder=folder, workspace=before))
    assert [file.name for file in old.parent.iterdir()] == ["new.json"]
