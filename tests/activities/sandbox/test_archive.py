"""Workspaces as archives: what is packed from a folder, and what is read from bytes that anybody may have made."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sandbox.archive import (
    Archive,
    ArchiveError,
    Entry,
    File,
    Folder,
    Link,
    PathError,
    obstacle,
    pack,
)
from activities.sandbox.tar import END
from tests.activities.sandbox.test_tar import block, pax, sized

BYTES, FILES = 1 << 20, 100


def load(data: bytes) -> Archive:
    return Archive.load(data, BYTES, FILES)


def loaded(folder: Path) -> Archive:
    return load(pack(folder, BYTES, FILES).data)


def workspace(**entries: Entry) -> Archive:
    """Make a workspace of entries by name."""
    archive = Archive(BYTES, FILES)
    for path, entry in entries.items():
        archive.add(path, entry)
    return archive


class TestLoad:
    def test_files_folders_and_links(self) -> None:
        data = block(b"./", b"5") + sized(b"1", b"./a/b") + block(b"a/empty/", b"5") + block(b"l", b"2", target=b"a/b")
        archive = load(data + END)
        assert archive.entries() == {"a": Folder(), "a/b": File(b"1"), "a/empty": Folder(), "l": Link("a/b")}
        assert (archive.paths(), archive.size, archive.skipped) == (["a/b"], 4, ())

    def test_hard_links_become_files(self) -> None:
        archive = load(sized(b"data", b"a") + block(b"b", b"1", target=b"./a") + END)
        assert archive.read("b") == b"data"

    @pytest.mark.parametrize(
        "data",
        {
            "absolute": sized(b"x", b"/etc/passwd"),
            "absolute in pax": pax(b"path=/etc/passwd") + block(),
            "absolute long name": sized(b"/" + b"x" * 200 + b"\0", kind=b"L") + block(),
            "two slashes": sized(b"x", b"//etc/passwd"),
            "up": sized(b"x", b"../x"),
            "up in the middle": sized(b"x", b"a/../../x"),
            "up in the middle, and back": sized(b"x", b"a/../x"),
            "up at the end": block(b"a/..", b"5"),
            "up after a dot": sized(b"x", b"./../x"),
            "no name": sized(b"x", b""),
            "file that is the workspace": sized(b"x", b"."),
            "link that is the workspace": block(b"./", b"2", target=b"a"),
            "character device": block(kind=b"3"),
            "block device": block(kind=b"4"),
            "unknown type": block(kind=b"Z"),
            "volume": block(kind=b"V"),
            "contiguous file": block(kind=b"7"),
            "two files": block(b"a") + block(b"a"),
            "two files, written otherwise": block(b"a/b") + block(b"./a//b"),
            "two names that pax makes one": block(b"a") + pax(b"path=a") + block(b"b"),
            "two links": block(b"a", b"2", target=b"b") + block(b"a", b"2", target=b"b"),
            "a file, then a link": block(b"a") + block(b"a", b"2", target=b"b"),
            "a link out, then a file": block(b"a", b"2", target=b"/etc") + block(b"a"),
            "a file where a folder is": block(b"a", b"5") + block(b"a"),
            "a file where a folder is implied": block(b"a/b") + block(b"a"),
            "a link where a folder is": block(b"a/b") + block(b"a", b"2", target=b"c"),
            "a folder where a file is": block(b"a") + block(b"a", b"5"),
            "below a file": block(b"a") + block(b"a/b"),
            "below a link": block(b"a", b"2", target=b"b") + block(b"a/passwd"),
            "below a link out": block(b"a", b"2", target=b"/etc") + block(b"a/passwd"),
            "below a FIFO": block(b"a", b"6") + block(b"a/b/c"),
            "hard link out": block(kind=b"1", target=b"/etc/passwd"),
            "hard link up": block(kind=b"1", target=b"../x"),
            "hard link to nothing": block(kind=b"1", target=b"b"),
            "hard link to itself": block(kind=b"1", target=b"a"),
            "hard link to what follows": block(kind=b"1", target=b"b") + block(b"b"),
            "hard link to a folder": block(b"b", b"5") + block(kind=b"1", target=b"b"),
            "hard link to a link": block(b"b", b"2", target=b"c") + block(kind=b"1", target=b"b"),
        }.items(),
        ids=lambda item: item[0],
    )
    def test_refused(self, data: tuple[str, bytes]) -> None:
        with pytest.raises(ArchiveError) as caught:
            load(data[1] + END)
        assert caught.value.code == "archive-damaged"
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize(
        ("data", "skipped"),
        [
            (block(b"a", b"2", target=b"/etc/passwd"), "a: a link out of the workspace"),
            (block(b"a", b"2", target=b".."), "a: a link out of the workspace"),
            (block(b"b/a", b"2", target=b"../../x"), "b/a: a link out of the workspace"),
            (block(b"a", b"2", target=b"b/../../x"), "a: a link out of the workspace"),
            (block(b"a", b"2"), "a: a link out of the workspace"),
            (block(b"a", b"2", target=b"\xff"), "a: a link out of the workspace"),
            (block(b"a", b"6"), "a: a FIFO"),
            (sized(b"x", b".git/config"), ".git: left out"),
            (sized(b"x", b"sub/.GIT/hooks/post-commit") + block(b"sub/.GIT/b"), "sub/.GIT: left out"),
            (block(b"a/__pycache__/", b"5"), "a/__pycache__: left out"),
            (sized(b"x", b"a/__pycache__"), "a/__pycache__: left out"),
            (sized(b"x", b"\xff"), "'\\udcff': a name that is not UTF-8, or has control characters"),
            (sized(b"x", b"a\n\x1b[31m"), "'a\\n\\x1b[31m': a name that is not UTF-8, or has control characters"),
            (sized(b"x", b".git/x") + block(kind=b"1", target=b".git/x"), ".git: left out"),
            (pax(b"path=" + b"a/" * 400) + block(kind=b"5"), "a/" * 64 + "a: too deep, or its name too long"),
            (pax(b"path=" + b"n" * 256) + block(), "..." + "n" * 200 + ": too deep, or its name too long"),
            (pax(b"path=" + b"/".join([b"n" * 250] * 5)) + block(), "..." + "n" * 200 + ": its path is too long"),
        ],
        ids=lambda part: part if isinstance(part, str) else "",
    )
    def test_left_out(self, data: bytes, skipped: str) -> None:
        archive = load(data + sized(b"x", b"kept") + END)
        assert archive.paths() == ["kept"]
        assert archive.skipped[0] == skipped

    def test_links_that_stay_within_are_kept(self) -> None:
        links = {"a/b/l": "../../x", "a/m": "./b//y/", "n": "a/b", "a/b/o": "..", "a/self": "self"}
        data = b"".join(block(path.encode(), b"2", target=target.encode()) for path, target in links.items())
        archive = load(data + END)
        found = {path: entry.target for path, entry in archive.entries().items() if isinstance(entry, Link)}
        assert found == links

    def test_too_many_bytes(self) -> None:
        with pytest.raises(ArchiveError) as caught:
            load(sized(bytes(BYTES + 1)) + END)
        assert caught.value.code == "workspace-too-large"
        assert load(sized(bytes(BYTES)) + END).size == BYTES

    def test_hard_links_count_as_often_as_they_are(self) -> None:
        links = b"".join(block(b"%d" % number, b"1", target=b"a") for number in range(3))
        with pytest.raises(ArchiveError) as caught:
            load(sized(bytes(BYTES // 3)) + links + END)
        assert caught.value.code == "workspace-too-large"

    @pytest.mark.parametrize(
        "member",
        [
            lambda number: block(b"%d" % number),
            lambda number: block(b"%d/" % number, b"5"),
            lambda number: block(b"%d" % number, b"6"),
            lambda number: block(b".git/%d" % number),
            lambda _: block(b"./", b"5"),
            lambda number: block(b"/".join([b"%d" % number] * 40)),
        ],
        ids=["files", "folders", "FIFOs", "left out", "the workspace", "implied folders"],
    )
    def test_too_many_members(self, member: Callable[[int], bytes]) -> None:
        with pytest.raises(ArchiveError) as caught:
            load(b"".join(map(member, range(FILES + 2))) + END)
        assert caught.value.code == "workspace-too-large"

    def test_a_million_members_are_not_read(self) -> None:
        data = block(b"./", b"5") * 100_000
        for max_bytes in (BYTES, 1 << 40):  # its size alone is too much, or its members are counted
            with pytest.raises(ArchiveError) as caught:
                Archive.load(data, max_bytes, FILES)
            assert caught.value.code == "workspace-too-large"

    def test_the_workspace_itself_does_not_count(self) -> None:
        data = block(b"./", b"5") + b"".join(block(b"%d" % number) for number in range(FILES)) + END
        assert len(load(data).paths()) == FILES

    @given(st.binary(max_size=2000))
    def test_any_bytes(self, data: bytes) -> None:
        with pytest.raises(ArchiveError):
            load(data.rstrip(b"\0") + b"x")

    @given(st.lists(st.tuples(st.integers(0, 4096), st.integers(0, 255)), max_size=6), st.booleans())
    def test_any_change_of_a_few_bytes(self, places: list[tuple[int, int]], mended: bool) -> None:
        parts = [
            block(b"a", b"5"),
            sized(b"x", b"a/b"),
            block(b"a/l", b"2", target=b"../c"),
            block(b"c", b"1", target=b"a/b"),
        ]
        data = bytearray(b"".join(parts) + END)
        for at, value in places:
            data[at % len(data)] = value
        if mended:  # so that more than the checksum is tried
            for start in range(0, len(data) - 1024, 512):
                data[start + 148 : start + 156] = b" " * 8
                data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
        try:
            archive = load(bytes(data))
        except ArchiveError:
            return
        check(archive)


def check(archive: Archive) -> None:
    """Check what holds of every workspace, and that it is read back as it was written."""
    for path, entry in archive.entries().items():
        assert path == os.path.normpath(path)
        assert not path.startswith(("/", ".."))
        assert obstacle(path) is None
        above = path.rpartition("/")[0]
        assert not above or archive.entries()[above] == Folder()
        if isinstance(entry, Link):
            assert not os.path.normpath(Path("/", "r", path).parent / entry.target).startswith("/r/../")
    again = load(archive.dump())
    assert (again.entries(), again.skipped, again.size) == (archive.entries(), (), archive.size)
    assert again.dump() == archive.dump()


class TestArchive:
    def test_what_is_written_is_read(self) -> None:
        archive = workspace()
        archive.write("a/b", b"1")
        assert (archive.paths(), archive.read("a/b")) == (["a/b"], b"1")
        assert archive.entries()["a"] == Folder()

    @pytest.mark.parametrize("path", ["b", "a"])
    def test_nothing_to_read(self, path: str) -> None:
        archive = workspace(**{"a/c": File(b"")})
        with pytest.raises(KeyError):
            archive.read(path)
        with pytest.raises(KeyError):
            archive.remove(path)

    def test_links_are_not_followed(self) -> None:
        archive = workspace(a=File(b"1"), l=Link("a"))
        with pytest.raises(PathError, match="l is a link to a"):
            archive.read("l")
        with pytest.raises(PathError, match="l is no folder"):
            archive.write("l/b", b"")
        assert archive.paths() == ["a"]
        archive.write("l", b"2")
        assert (archive.read("a"), archive.read("l")) == (b"1", b"2")

    @pytest.mark.parametrize(
        "path", ["", ".", "/a", "../a", "a/..", "./a", "a//b", "a/", "a\0", "a\nb", "\udcff", ".git/hooks/x", "n" * 256]
    )
    def test_paths_that_are_none(self, path: str) -> None:
        archive = workspace()
        with pytest.raises(PathError) as caught:
            archive.write(path, b"")
        assert str(caught.value).isprintable()
        assert archive.entries() == {}

    def test_files_and_folders_do_not_replace_each_other(self) -> None:
        archive = workspace(**{"a/b": File(b"1")})
        with pytest.raises(PathError, match="a is a folder"):
            archive.write("a", b"")
        with pytest.raises(PathError, match="a/b is no folder"):
            archive.write("a/b/c", b"")
        with pytest.raises(PathError, match="a/b is no folder"):
            archive.add("a/b", Folder())

    def test_limits(self) -> None:
        archive = Archive(max_bytes=10, max_files=3)
        archive.write("a/b", bytes(10))
        archive.write("a/b", bytes(8))
        for path, data in [("c", bytes(3)), ("d/e", b"")]:
            with pytest.raises(ArchiveError) as caught:
                archive.write(path, data)
            assert caught.value.code == "workspace-too-large"
        assert (archive.paths(), archive.size) == (["a/b"], 8)
        archive.remove("a/b")
        archive.write("c", bytes(10))
        assert archive.size == 10

    def test_what_is_written_is_newer_and_as_executable(self) -> None:
        archive = workspace(a=File(b"", True, 100), b=File(b"", False, 200))
        archive.write("a", b"new")
        archive.write("c", b"")
        archive = load(archive.dump())
        times = {path: entry.mtime for path, entry in archive.entries().items() if isinstance(entry, File)}
        assert times == {"a": 201, "b": 200, "c": 202}
        assert archive.entries() == {"a": File(b"new", True), "b": File(b""), "c": File(b"")}

    def test_the_order_of_writing_does_not_show(self) -> None:
        one, other = (workspace(**{path: File(b"") for path in paths}) for paths in (["a/b", "a-b"], ["a-b", "a/b"]))
        assert one.dump() == other.dump()
        check(one)


class TestPack:
    def test_folder(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "run").write_bytes(b"#!")
        (tmp_path / "a" / "run").chmod(0o700)
        (tmp_path / "empty").mkdir()
        (tmp_path / "ü x").write_bytes(b"text")
        (tmp_path / "l").symlink_to("a/run")
        os.utime(tmp_path / "ü x", (1.5, 1.5))
        packed = pack(tmp_path, BYTES, FILES)
        archive = load(packed.data)
        assert archive.entries() == {
            "a": Folder(),
            "a/run": File(b"#!", True),
            "empty": Folder(),
            "l": Link("a/run"),
            "ü x": File(b"text"),
        }
        assert (packed.files, packed.bytes, packed.skipped) == (3, 11, ())
        assert archive.entries()["ü x"].mtime == 1  # type: ignore[union-attr]
        assert pack(tmp_path, BYTES, FILES) == packed
        check(archive)

    def test_link_to_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "a").touch()
        (tmp_path / "link").symlink_to("folder")
        assert loaded(tmp_path / "link").paths() == ["a"]

    def test_what_is_not_taken_is_named(self, tmp_path: Path) -> None:
        for name in (".git", "sub/node_modules", "sub/__pycache__"):
            (tmp_path / name).mkdir(parents=True)
            (tmp_path / name / "secret").touch()
        for name, target in {"out": "/etc/passwd", "sub/up": "../../x", "sub/zigzag": "d/../../../x"}.items():
            (tmp_path / name).symlink_to(target)
        os.mkfifo(tmp_path / "fifo")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket")) if len(str(tmp_path)) < 90 else (tmp_path / "socket").touch()
        Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9")).touch()
        (tmp_path / "new\nline").touch()
        packed = pack(tmp_path, BYTES, FILES)
        assert load(packed.data).entries() == {"sub": Folder()}
        assert set(packed.skipped) >= {
            ".git: left out",
            "sub/node_modules: left out",
            "sub/__pycache__: left out",
            "out: a link out of the workspace",
            "sub/up: a link out of the workspace",
            "sub/zigzag: a link out of the workspace",
            "fifo: a FIFO",
            "socket: a socket",
            "'caf\\udce9': a name that is not UTF-8, or has control characters",
            "'new\\nline': a name that is not UTF-8, or has control characters",
        }

    @pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no devices")
    def test_devices(self) -> None:
        packed = pack(Path("/dev"), BYTES, 10_000)
        assert "null: a device" in packed.skipped

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, and may read everything")
    def test_unreadable(self, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0o700)
        (tmp_path / "a").touch(mode=0o600)
        (tmp_path / "b").touch(mode=0o644)
        tmp_path.chmod(0o755)
        with in_folder(tmp_path), another_user():
            packed = pack(Path(), BYTES, FILES)
        assert load(packed.data).entries() == {"b": File(b"")}
        assert packed.skipped == ("a: Permission denied", "closed: Permission denied")

    def test_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "loop").symlink_to("loop")
        for name in ("missing", "file", "loop", "file/below", "n" * 256):
            with pytest.raises(ArchiveError) as caught:
                pack(tmp_path / name, BYTES, FILES)
            assert caught.value.code == "workspace-unreadable"

    def test_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(bytes(600))
        (tmp_path / "b").write_bytes(bytes(600))
        assert pack(tmp_path, 1200, 2).bytes == 1200
        for max_bytes, max_files in [(1199, 2), (1200, 1), (500, 2)]:
            with pytest.raises(ArchiveError) as caught:
                pack(tmp_path, max_bytes, max_files)
            assert caught.value.code == "workspace-too-large"

    def test_sparse_files_are_read_no_further_than_the_limit(self, tmp_path: Path) -> None:
        with (tmp_path / "huge").open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(ArchiveError) as caught:
            pack(tmp_path, BYTES, FILES)
        assert caught.value.code == "workspace-too-large"

    def test_too_deep(self, tmp_path: Path) -> None:
        with in_folder(tmp_path):
            for _ in range(80):
                os.mkdir("d")  # noqa: PTH102
                os.chdir("d")
        packed = pack(tmp_path, BYTES, FILES)
        assert packed.skipped == ("/".join(["d"] * 65) + ": too deep, or its name too long",)
        assert len(load(packed.data).entries()) == 64

    @pytest.mark.parametrize("kind", ["link", "fifo", "gone", "folder"])
    def test_a_file_that_is_replaced_before_it_is_opened(
        self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "work").mkdir()
        file = tmp_path / "work" / "a"
        file.touch()

        def replace() -> None:
            file.unlink()
            match kind:
                case "link":
                    file.symlink_to("../secret")
                case "fifo":
                    os.mkfifo(file)
                case "folder":
                    file.mkdir()

        with after_stat(monkeypatch, "a", replace):
            packed = pack(tmp_path / "work", BYTES, FILES)
        assert load(packed.data).entries() == {}
        assert len(packed.skipped) == 1

    def test_a_folder_that_is_replaced_before_it_is_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "secret").touch()
        folder = tmp_path / "work" / "a"
        folder.mkdir(parents=True)

        def replace() -> None:
            folder.rmdir()
            folder.symlink_to("../outside")

        with after_stat(monkeypatch, "a", replace):
            packed = pack(tmp_path / "work", BYTES, FILES)
        assert load(packed.data).entries() == {}
        assert packed.skipped == ("a: Not a directory",)

    def test_a_folder_above_that_is_replaced_meanwhile(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "b").write_text("secret")
        folder = tmp_path / "work" / "a"
        folder.mkdir(parents=True)
        (folder / "b").write_text("own")

        def replace() -> None:
            folder.rename(tmp_path / "moved")
            folder.symlink_to("../outside")

        with after_stat(monkeypatch, "b", replace):
            packed = pack(tmp_path / "work", BYTES, FILES)
        assert load(packed.data).read("a/b") == b"own"


@contextmanager
def after_stat(monkeypatch: pytest.MonkeyPatch, name: str, then: Callable[[], None]) -> Iterator[None]:
    """Do something once, just after the file of this name was found to be what it is."""
    real = os.stat
    done: list[str] = []

    def stat(path: str, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        status = real(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        if path == name and not done:
            done.append(path)
            then()
        return status

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", stat)
        yield
    assert done


@contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def another_user() -> Iterator[None]:
    """Be nobody for a while, who may not read what belongs to others."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
