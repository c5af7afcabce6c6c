"""The launcher's parts; the whole of it runs in ``test_bubblewrap``, ``test_containers`` and ``test_escapes``."""

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sandbox.launcher import (
    LONGEST_PATH,
    NAMED,
    Output,
    Packer,
    TooLargeError,
    missing,
    numbers,
    stays_inside,
)

FACTS = {
    "pid": 1,
    "uid": 1000,
    "capabilities": 0,
    "seccomp": True,
    "no_new_privileges": True,
    "interfaces": ["lo"],
    "user_namespace": True,
    "read_only": ["/", "/usr"],
}
WANTED = ["pid namespace", "network namespace", "user namespace", "unprivileged user", "no capabilities", "seccomp"]
WANTED += ["no new privileges", "read-only root"]


def pack(folder: Path, max_bytes: int = 1 << 20, max_files: int = 100) -> tuple[dict[str, tarfile.TarInfo], list[str]]:
    """Pack a folder; return the archive's members, and what was left out."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        packer = Packer(archive, max_bytes, max_files)
        packer.folder(os.open(folder, os.O_RDONLY), "", 0)
    data.seek(0)
    with tarfile.open(fileobj=data) as archive:
        return {member.name: member for member in archive}, packer.skipped


def test_files_folders_and_links_that_stay_inside_are_packed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run").write_text("#!/bin/sh\n")
    (tmp_path / "a" / "run").chmod(0o4755)
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "link").symlink_to("a/run")
    (tmp_path / "a" / "up").symlink_to("../closed")
    (tmp_path / "to nothing").symlink_to("nothing")
    members, skipped = pack(tmp_path)
    assert list(members) == ["a", "a/run", "a/up", "closed", "link", "to nothing"]
    assert [members[name].mode for name in ("a", "a/run", "closed")] == [0o755, 0o755, 0o644]
    assert members["link"].linkname == "a/run"
    assert {member.uid for member in members.values()} == {0}
    assert skipped == []


def test_all_else_is_left_out_and_named(tmp_path: Path) -> None:
    for name, target in {"absolute": "/etc/passwd", "up": "../x", "deep": "a/../../x", "self": ".."}.items():
        (tmp_path / name).symlink_to(target)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / ".git").mkdir()
    (tmp_path / "__pycache__").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("x")
    members, skipped = pack(tmp_path)
    assert members == {}
    reasons = dict(line.split(": ") for line in skipped)
    assert list(reasons) == [".git", "absolute", "deep", "fifo", "self", "up", "?"]
    assert reasons["?"] == "its name is not UTF-8"
    assert reasons[".git"] == "left out of every workspace"


def test_no_more_than_the_limits_is_packed(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooLargeError, match="more bytes"):
        pack(tmp_path)
    (tmp_path / "sparse").unlink()
    for number in range(11):
        (tmp_path / str(number)).symlink_to("x")
    with pytest.raises(TooLargeError, match="more files"):
        pack(tmp_path, max_files=10)
    assert len(pack(tmp_path, max_files=11)[0]) == 11


def test_folders_that_are_too_deep_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(6):
        folder /= "n" * 200
        folder.mkdir()
    members, skipped = pack(tmp_path)
    assert max(map(len, members)) <= LONGEST_PATH
    assert len(skipped) == 1
    assert skipped[0].endswith("too deep")


def test_few_of_many_are_named(tmp_path: Path) -> None:
    for number in range(NAMED + 5):
        (tmp_path / str(number)).symlink_to("/")
    assert len(pack(tmp_path)[1]) == NAMED


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        ("a", "b", True),
        ("a/b", "../c", True),
        ("a/b", "../../c", False),
        ("a", "..", False),
        ("a", ".", True),
        ("a", "/workspace/b", False),
        ("a", "..b", True),
        ("a", "b/../../c", False),
        ("a", "\udcff", False),
    ],
)
def test_where_links_lead(path: str, target: str, inside: bool) -> None:
    assert stays_inside(path, target) is inside


class Written:
    """A pipe that keeps what is written to it."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, kind: bytes, data: bytes) -> None:  # noqa: ARG002 - a pipe's
        self.data += data


@given(st.lists(st.binary(max_size=100), max_size=40), st.integers(0, 50), st.integers(0, 50))
def test_beginning_and_end_of_the_output_are_kept(pieces: list[bytes], head: int, tail: int) -> None:
    pipe, everything = Written(), b"".join(pieces)
    output = Output(pipe, head, tail)  # type: ignore[arg-type]
    for piece in pieces:
        output.write(piece)
    assert output.written == len(everything)
    assert pipe.data == everything[:head]
    rest = everything[head:]
    assert output.rest() == (rest[-tail:] if tail else b"")


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({}, []),
        ({"pid": 7}, ["pid namespace"]),
        ({"uid": 0}, ["unprivileged user"]),
        ({"interfaces": ["lo", "eth0"]}, ["network namespace"]),
        ({"capabilities": 1 << 21, "seccomp": False}, ["no capabilities", "seccomp"]),
        ({"read_only": ["/usr"], "no_new_privileges": False}, ["no new privileges", "read-only root"]),
        ({"user_namespace": False}, ["user namespace"]),
    ],
)
def test_what_is_not_in_force_is_named(change: dict[str, object], lacking: list[str]) -> None:
    assert missing(FACTS | change, WANTED) == lacking
    assert missing(FACTS | change, []) == []


def test_numbers_of_cgroups(tmp_path: Path) -> None:
    file = tmp_path / "memory.events"
    file.write_text("low 0\noom 3\noom_kill 2\nmax\n")
    assert numbers(str(file), "oom_kill") == [2]
    file.write_text("max\n")
    assert numbers(str(file), "") == numbers(str(tmp_path / "none"), "") == []
