"""Entries of data sets: those that are shipped, and a user's own."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from agent.tasks.data_sets import DataSetError, find, listed, load

ROW = {
    "task_id": 1,
    "prompt": "One.",
    "code": "def one(): return 1",
    "test_imports": [],
    "test_list": ["assert one() == 1"],
}
KIND = """
from agent.tasks.task import Asserts, BenchmarkTask

def read(data):
    for number in data.decode().split():
        yield BenchmarkTask(
            id=f"add {number}", text=f"Write add(n), which adds {number}.", files={}, prompt="", answer_path="add.py",
            reference={"add.py": f"def add(n): return n + {number}"},
            scoring=Asserts(module="add", function="add", name="add", asserts=(f"assert add(1) == {int(number) + 1}",)),
        )
"""


def own(folder: Path, data: bytes, **entry: str) -> Path:
    """Write a file of entries with one, and its data."""
    (folder / "data.json").write_bytes(data)
    fields = {"name": "own", "kind": "functions", "path": "data.json", "sha256": hashlib.sha256(data).hexdigest()}
    fields |= {"licence": "CC0-1.0", "source": "me", **entry}
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    file = folder / "sets.toml"
    file.write_text("\n".join(["[[sets]]", *lines]))
    return file


@pytest.mark.parametrize("name", listed())
def test_what_is_shipped_is_what_was_meant(name: str) -> None:
    assert load(find(name))


def test_an_entry_alone_adds_a_data_set(tmp_path: Path) -> None:
    file = own(tmp_path, gzip.compress(json.dumps([ROW]).encode()))
    assert set(listed(file)) == {*listed(), "own"}
    assert [task.id for task in load(find("own", file))] == ["MBPP/1"]


def test_a_short_file_adds_a_kind(tmp_path: Path) -> None:
    (tmp_path / "adding.py").write_text(KIND)
    tasks = load(find("own", own(tmp_path, b"1 2 3", kind="adding.py")))
    assert [task.id for task in tasks] == ["add 1", "add 2", "add 3"]


@pytest.mark.parametrize(
    ("data", "entry", "code"),
    [
        (b"[]", {"sha256": "0" * 64}, "data-set-changed"),
        (b"[]", {}, "data-set-malformed"),
        (b"[{}]", {}, "data-set-malformed"),
        (b"\x1f\x8bnot gzip", {}, "data-set-malformed"),
        (json.dumps([ROW, ROW]).encode(), {}, "data-set-malformed"),
        (b"[]", {"kind": "none"}, "data-set-unknown"),
        (b"[]", {"kind": "none.py"}, "data-set-unknown"),
        (b"[]", {"path": "none.json"}, "data-set-missing"),
        (b"[]", {"sha256": "0"}, "data-set-malformed"),
        (b"[]", {"name": "humaneval"}, "data-set-malformed"),
        (b"[]", {"size": "5"}, "data-set-malformed"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, data: bytes, entry: dict[str, str], code: str) -> None:
    file = own(tmp_path, data, **entry)
    with pytest.raises(DataSetError) as caught:
        load(find("own", file))
    assert caught.value.code == code
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("content", "code"), [("x", "data-set-malformed"), ("", "data-set-malformed"), (None, "data-set-missing")]
)
def test_a_list_that_is_none_is_told(tmp_path: Path, content: str | None, code: str) -> None:
    file = tmp_path / "sets.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DataSetError) as caught:
        listed(file)
    assert caught.value.code == code


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(DataSetError, match="There is no data set nothing; there are humaneval, ") as caught:
        find("nothing")
    assert caught.value.code == "data-set-unknown"
