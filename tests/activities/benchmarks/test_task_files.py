"""Data sets as a worker reads them."""

from pathlib import Path

import pytest

from activities.benchmarks import task_files as module
from activities.benchmarks.task_files import BenchmarkError, TaskFiles
from agent.tasks.data_sets import DataSet, find, load


async def test_a_set_is_read_once(task_files: TaskFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def counting(entry: DataSet) -> object:
        loaded.append(entry.name)
        return load(entry)

    monkeypatch.setattr(module, "load", counting)
    files = TaskFiles()
    sha256, tasks = await files.read("june-repair")
    assert sha256 == find("june-repair").sha256
    assert await files.read("june-repair", sha256) == (sha256, tasks)
    assert loaded == ["june-repair"]
    first = next(iter(tasks))
    assert (await files.task("june-repair", sha256, first)).id == first


@pytest.mark.parametrize(
    ("name", "sha256", "task", "code"),
    [
        ("june-repair", "0" * 64, "", "data-set-changed"),
        ("nothing", "", "", "data-set-unknown"),
        ("june-repair", "", "no-such-task", "task-unknown"),
    ],
)
async def test_what_is_not_there_fails_for_good(
    task_files: TaskFiles, name: str, sha256: str, task: str, code: str
) -> None:
    with pytest.raises(BenchmarkError) as failed:
        await task_files.task(name, sha256, task)
    assert (failed.value.type, failed.value.non_retryable) == (code, True)


async def test_further_sets_come_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"sets\.toml"):
        await TaskFiles(tmp_path / "sets.toml").read("june-repair")
