"""What a task has changed: git applies the patch, june writes it into the folder or leaves that as it was."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.sandbox.archive import APPLYING, Archive, Entry, File, Folder, Link, PathError, pack
from activities.sandbox.changes import Applied, ConflictError, FileChange, apply_changes, changes

LIMITS = 1 << 20, 200
NAMES = ["a", "b c", 'd"e', "ü", "x\\y", "f.txt", " ", "-n", "ä 'ö'", "日本", "a b/c", "ü/f", "ü/g/h", "a/x", "f.txt/y"]
LINES = ["", "one", "two", "tab\t", "ü", "+", "-", "\\ No newline at end of file", "@@ -1 +1 @@", "x\r", " "]
NONE: Archive = Archive(*LIMITS)

texts = st.lists(st.sampled_from(LINES), max_size=12).map("\n".join).map(str.encode)
files = st.builds(File, texts | st.binary(max_size=200), st.booleans())
# git cannot make a folder of a link that leads to itself, or to another folder
files_and_links: st.SearchStrategy[Entry] = files | st.builds(Link, st.sampled_from(["missing", "no such/file"]))


def workspace(entries: Mapping[str, Entry]) -> Archive:
    """Make a workspace; what has no place in it is left out."""
    archive = Archive(*LIMITS)
    for path, entry in entries.items():
        try:
            archive.add(path, entry)
        except PathError:
            continue
    return archive


without_empty_folders = st.dictionaries(st.sampled_from(NAMES), files_and_links, max_size=8).map(workspace)
workspaces = st.dictionaries(st.sampled_from(NAMES), files_and_links | st.just(Folder()), max_size=8).map(workspace)


def contents(folder: Path) -> dict[str, Entry]:
    return dict(Archive.load(pack(folder, *LIMITS).data, *LIMITS).entries())


def without_folders(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    return {path: entry for path, entry in entries.items() if not isinstance(entry, Folder)}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet")
    return folder


def git(folder: Path, *arguments: str, data: str = "") -> None:
    """Run git, without anybody's settings."""
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, input=data.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def fill(folder: Path, archive: Archive) -> None:
    """Make a folder hold a workspace, and nothing else but ``.git``."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path.name != ".git":
                shutil.rmtree(path)
        else:
            path.unlink()
    apply_changes(folder, NONE, archive)
    assert contents(folder) == archive.entries()


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class TestPatch:
    def check(self, repository: Path, before: Archive, after: Archive) -> None:
        patch = changes(before, after).patch
        fill(repository, before)
        if patch:
            git(repository, "apply", "-", data=patch)
        assert without_folders(contents(repository)) == without_folders(after.entries())
        if patch:
            git(repository, "apply", "--reverse", "-", data=patch)
        assert without_folders(contents(repository)) == without_folders(before.entries())

    @needs_git
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ({}, {"a": File(b"")}),
            ({"a": File(b"")}, {}),
            ({}, {"a/b/c": File(b"x")}),
            ({"a": File(b"1\n2\n3")}, {"a": File(b"1\n2\n3\n")}),
            ({"a": File(b"1\n2\n3\n")}, {"a": File(b"1\n2\n3")}),
            ({"a": File(b"1\n")}, {"a": File(b"")}),
            ({"a": File(b"x")}, {"a": File(b"x", executable=True)}),
            ({"a": File(b"x")}, {"a": File(b"y", executable=True)}),
            ({"old name": File(b"x\n")}, {"new name": File(b"x\n", executable=True)}),
            ({"a": File(b"\0")}, {"a": File(b"text\n")}),
            ({"a": File(bytes(range(256)) * 20)}, {"a": File(b"")}),
            ({"a": File(b"x")}, {"a": Link("b")}),
            ({"a": Link("b")}, {"a": Link("c")}),
            ({"a": Link("b")}, {"a/b": File(b"x")}),
            ({"a/b": File(b"x")}, {"a": Link("b")}),
            ({"a": File(b"x")}, {"a/b": File(b"x")}),
            ({"a/b": File(b"x")}, {"a": File(b"x")}),
        ],
    )
    def test_git_applies_it(self, before: dict[str, Entry], after: dict[str, Entry], repository: Path) -> None:
        self.check(repository, workspace(before), workspace(after))

    @needs_git
    @pytest.mark.parametrize("name", [*NAMES, "a\tb"[::2], "trailing ", "b/ b/", "\u3000", "a => b", "e\u0301"])
    def test_git_applies_it_to_any_name(self, name: str, repository: Path) -> None:
        before = workspace({name: File(b"1\n")})
        for after in ({name: File(b"2\n")}, {name: File(b"1\n", True)}, {name: File(b"\0")}, {}):
            self.check(repository, before, workspace(after))

    @needs_git
    @pytest.mark.slow
    @given(without_empty_folders, without_empty_folders)
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_git_applies_any(self, repository: Path, before: Archive, after: Archive) -> None:
        self.check(repository, before, after)


def test_figures() -> None:
    link, program = Link("a"), File(b"x", executable=True)
    before = workspace({"a": File(b"1\n2\n"), "b": File(b"x"), "c": File(b"1\n"), "d": link, "e": File(b"same")})
    after = workspace({"a": File(b"1\n3\n4\n"), "b": program, "d": File(b"1"), "e": File(b"same"), "f/g": File(b"\0")})
    found = changes(before, after)
    assert found.files == (
        FileChange("a", "changed", 2, 1),
        FileChange("b", "mode", 0, 0),
        FileChange("c", "deleted", 0, 1),
        FileChange("d", "link", 1, 1),
        FileChange("f/g", "added", 0, 0),
    )
    assert found.patch.count("diff --git") == 6
    assert changes(before, before) == ("", ())
    assert changes(NONE, workspace({"empty": Folder()})) == ("", ())


BEFORE = workspace(
    {
        "a": File(b"1\n"),
        "b/c": File(b"2\n"),
        "b/d": File(b"3\n"),
        "gone/e": File(b"4\n"),
        "l": Link("a"),
        "kind": Link("a"),
    }
)
AFTER = workspace(
    {
        "a": File(b"one\n", executable=True),
        "b/c": File(b"two\n"),
        "b/d": File(b"3\n"),
        "l": Link("b/c"),
        "kind/now/a/folder": File(b"5\n"),
        "new/f": File(b"6\n"),
        "empty": Folder(),
    }
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that holds BEFORE, and what no workspace holds."""
    folder = tmp_path / "folder"
    folder.mkdir()
    apply_changes(folder, NONE, BEFORE)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("mine")
    (folder / "other").write_text("mine")
    return folder


def state(folder: Path) -> dict[str, Any]:
    """Return all that a person could miss: contents, targets, permissions, times, and which file it is."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            found[str(path)] = path.readlink(), status.st_ino
        elif path.is_file():
            found[str(path)] = path.read_bytes(), status.st_mode, status.st_mtime_ns, status.st_ino
        else:
            found[str(path)] = status.st_mode
    return found


class TestApply:
    def test_all_kinds(self, folder: Path) -> None:
        applied = apply_changes(folder, BEFORE, AFTER)
        assert applied == Applied(("a", "b/c", "kind/now/a/folder", "l", "new/f"), ("gone/e", "kind"))
        assert contents(folder) == {**AFTER.entries(), "other": File(b"mine")}
        assert (folder / ".git" / "config").read_text() == "mine"
        assert not (folder / APPLYING).exists()

    def test_twice_does_nothing(self, folder: Path) -> None:
        apply_changes(folder, BEFORE, AFTER)
        done = state(folder)
        assert apply_changes(folder, BEFORE, AFTER) == Applied((), ())
        assert state(folder) == done

    def test_permissions_stay(self, folder: Path) -> None:
        (folder / "a").chmod(0o640)
        (folder / "b" / "c").chmod(0o600)
        apply_changes(folder, BEFORE, AFTER)
        assert (folder / "a").stat().st_mode & 0o7777 == 0o750
        assert (folder / "b" / "c").stat().st_mode & 0o7777 == 0o600

    def test_setuid_does_not_stay(self, folder: Path) -> None:
        (folder / "b" / "c").chmod(0o4644)
        apply_changes(folder, BEFORE, AFTER)
        assert (folder / "b" / "c").stat().st_mode & 0o7777 == 0o644

    def test_new_files_get_the_permissions_of_the_process(self, folder: Path) -> None:
        before = os.umask(0o027)
        try:
            apply_changes(folder, BEFORE, AFTER)
        finally:
            os.umask(before)
        assert (folder / "new").stat().st_mode & 0o777 == 0o750
        assert (folder / "new" / "f").stat().st_mode & 0o777 == 0o640

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to others")
    def test_owners_stay(self, folder: Path) -> None:
        os.chown(folder / "a", 1234, 1234)
        apply_changes(folder, BEFORE, AFTER)
        assert ((folder / "a").stat().st_uid, (folder / "a").stat().st_gid) == (1234, 1234)

    def test_caches_in_a_removed_folder_stay(self, folder: Path) -> None:
        (folder / "gone" / "__pycache__").mkdir()
        apply_changes(folder, BEFORE, AFTER)
        assert os.listdir(folder / "gone") == ["__pycache__"]  # noqa: PTH208

    @pytest.mark.parametrize(
        ("change", "paths"),
        [
            pytest.param(*case, id=name)
            for name, case in {
                "contents": (lambda f: (f / "a").write_text("mine"), ["a"]),
                "one byte more": (lambda f: (f / "a").write_text("1\n\n"), ["a"]),
                "executable": (lambda f: (f / "a").chmod(0o755), ["a"]),
                "deleted": (lambda f: (f / "b" / "c").unlink(), ["b/c"]),
                "deleted file written": (lambda f: (f / "gone" / "e").write_text("mine"), ["gone/e"]),
                "new file is there": (lambda f: [(f / "new").mkdir(), (f / "new" / "f").write_text("mine")], ["new/f"]),
                "new file's folder is a file": (lambda f: (f / "new").write_text("mine"), ["new"]),
                "new file's folder is a link": (lambda f: (f / "new").symlink_to("b"), ["new"]),
                "new file's folder is a link out": (lambda f: (f / "new").symlink_to(".."), ["new"]),
                "empty folder is a file": (lambda f: (f / "empty").touch(), ["empty"]),
                "link elsewhere": (lambda f: replace(f / "l", lambda p: p.symlink_to("b/d")), ["l"]),
                "link out": (lambda f: replace(f / "l", lambda p: p.symlink_to("/etc/passwd")), ["l"]),
                "link is a file": (lambda f: replace(f / "l", lambda p: p.write_text("a")), ["l"]),
                "file is a link to such a file": (lambda f: replace_by_link(f / "a", f.parent / "outside"), ["a"]),
                "file is a FIFO": (lambda f: replace(f / "a", os.mkfifo), ["a"]),
                "file is a folder": (lambda f: replace(f / "a", Path.mkdir), ["a"]),
                "folder is a link to such a folder": (
                    lambda f: replace_by_link(f / "b", f.parent / "outside"),
                    ["b/c"],
                ),
                "folder is gone": (lambda f: shutil.rmtree(f / "b"), ["b/c"]),
                "all at once": (lambda f: [(f / "a").unlink(), (f / "l").unlink()], ["a", "l"]),
            }.items()
        ],
    )
    def test_conflicts(self, change: Callable[[Path], object], paths: list[str], folder: Path) -> None:
        change(folder)
        as_it_was = state(folder.parent)
        with pytest.raises(ConflictError) as caught:
            apply_changes(folder, BEFORE, AFTER)
        assert set(caught.value.paths) >= set(paths)
        assert paths[0] in str(caught.value)
        assert state(folder.parent) == as_it_was

    def test_what_is_not_touched_is_no_conflict(self, folder: Path) -> None:
        (folder / "b" / "d").write_text("mine")
        (folder / "b" / "g").write_text("mine")
        apply_changes(folder, BEFORE, AFTER)
        assert (folder / "b" / "d").read_text() == "mine"

    def test_what_is_in_a_folder_that_becomes_a_file_stays(self, folder: Path) -> None:
        (folder / "gone" / "mine").touch()
        as_it_was = state(folder)
        after = workspace({**BEFORE.entries(), "x": File(b"")})
        after.remove("gone/e")
        after = workspace({**without_folders(after.entries()), "gone": File(b"")})
        with pytest.raises(ConflictError, match="gone"):
            apply_changes(folder, BEFORE, after)
        assert state(folder) == as_it_was

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
    @pytest.mark.parametrize("call", ["rename", "mkdir", "rmdir", "symlink", "fchmod"])
    def test_failing_at_any_call_leaves_all_as_it_was(
        self, call: str, error: BaseException, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        as_it_was = state(folder)
        for number in range(100):
            with monkeypatch.context() as patch, failing(patch, call, number, error) as failed:
                try:
                    apply_changes(folder, BEFORE, AFTER)
                except type(error):
                    assert failed
                    if not (folder / APPLYING).exists():
                        assert state(folder) == as_it_was
                        continue
            break  # at the latest while what was there before is thrown away
        assert number > 0
        assert contents(folder) == {**AFTER.entries(), "other": File(b"mine")}

    def test_without_hard_links(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def link(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)
        apply_changes(folder, BEFORE, AFTER)
        assert contents(folder) == {**AFTER.entries(), "other": File(b"mine")}

    @pytest.mark.parametrize("path", ["a", "gone/e", "new/f", "l"])
    def test_a_file_that_is_written_after_it_was_compared(
        self, path: str, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = os.mkdir

        def mkdir(name: str, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
            if name == APPLYING:
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).unlink(missing_ok=True)
                (folder / path).write_text("mine")
            real(name, *arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(os, "mkdir", mkdir)
            with pytest.raises((ConflictError, FileExistsError)):
                apply_changes(folder, BEFORE, AFTER)
        assert (folder / path).read_text() == "mine"
        assert without_folders(contents(folder)) == {
            **without_folders(BEFORE.entries()),
            "other": File(b"mine"),
            path: File(b"mine"),
        }

    def test_one_at_a_time(self, folder: Path) -> None:
        other = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(other, fcntl.LOCK_EX)
            with pytest.raises(BlockingIOError):
                apply_changes(folder, BEFORE, AFTER)
        finally:
            os.close(other)
        apply_changes(folder, BEFORE, AFTER)

    def test_a_link_where_it_works_is_not_followed(self, folder: Path) -> None:
        (folder.parent / "outside").mkdir()
        (folder.parent / "outside" / "file").touch()
        (folder / APPLYING).symlink_to("../outside")
        with pytest.raises(OSError, match="symbolic link"):
            apply_changes(folder, BEFORE, AFTER)
        assert (folder.parent / "outside" / "file").exists()
        assert contents(folder) == {**BEFORE.entries(), "other": File(b"mine")}

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            apply_changes(tmp_path / "missing", BEFORE, AFTER)

    @pytest.mark.slow
    def test_kill_9_leaves_whole_files_and_the_rest_is_done_later(self, folder: Path) -> None:
        kills = 0
        for number in range(100):
            fill(folder, BEFORE)
            child = os.fork()
            if child == 0:
                apply_until_killed(folder, number)
            ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if ended == 0:
                break
            assert ended == -signal.SIGKILL
            kills += 1
            for path, entry in without_folders(contents(folder)).items():
                assert entry in (BEFORE.entries().get(path), AFTER.entries().get(path))
            for path in set(BEFORE.paths()) & set(AFTER.paths()):
                assert (folder / path).exists()
            apply_changes(folder, BEFORE, AFTER)
            assert contents(folder) == AFTER.entries()
            assert not (folder / APPLYING).exists()
        assert kills > 5

    @pytest.mark.slow
    @given(workspaces, workspaces)
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any(self, tmp_path: Path, before: Archive, after: Archive) -> None:
        fill(tmp_path, before)
        apply_changes(tmp_path, before, after)
        assert contents(tmp_path) == after.entries()


def apply_until_killed(folder: Path, number: int) -> None:
    """Apply AFTER, in a process of its own, which kills itself before the call of the system of that number."""
    left = number

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real(*arguments, **named)

        return call

    try:
        for name in ("rename", "link", "mkdir", "rmdir", "symlink", "unlink"):
            setattr(os, name, deadly(getattr(os, name)))
        apply_changes(folder, BEFORE, AFTER)
        os._exit(0)
    finally:
        os._exit(1)


def replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def replace_by_link(path: Path, outside: Path) -> None:
    """Move what is at a path out of the folder, and put a link to it there."""
    path.rename(outside)
    path.symlink_to(outside)


@contextmanager
def failing(patch: pytest.MonkeyPatch, call: str, number: int, error: BaseException) -> Iterator[list[str]]:
    """Have a call of the system fail, once, after it has worked as often as ``number`` says."""
    real = getattr(os, call)
    failed: list[str] = []
    calls = 0

    def one(*arguments: Any, **named: Any) -> object:  # noqa: ANN401
        nonlocal calls
        calls += 1
        if calls == number + 1:
            failed.append(call)
            raise error
        return real(*arguments, **named)

    patch.setattr(os, call, one)
    yield failed
