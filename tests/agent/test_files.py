"""Files in a workspace: what the agent may do with them, and the words for what it cannot."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.actions import Edit, Read, Write
from agent.files import Applied, FileError, apply, listing, normalised, overview


class Memory(dict[str, bytes]):
    """Files in memory."""

    def paths(self) -> list[str]:
        """List the paths."""
        return sorted(self)

    def read(self, path: str) -> bytes:
        """Return a file's contents."""
        return self[path]

    def write(self, path: str, data: bytes) -> None:
        """Write a file; ``link`` cannot be."""
        if path == "link":
            raise ValueError("link is a link")
        self[path] = data


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", "a.py"),
        ("./a/../b//c.py", "b/c.py"),
        ("/workspace/a.py", "a.py"),
        (" a.py\n", "a.py"),
        ("a/", "a"),
        ("/workspace/../workspace", None),
        ("..", None),
        ("../a", None),
        ("a/../../b", None),
        ("/etc/passwd", None),
        ("/workspacex/a", None),
        ("/workspace", None),
        ("/workspace//etc/passwd", None),
        (".", None),
        ("a\0b", None),
    ],
)
def test_paths(path: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(FileError):
            normalised(path)
    else:
        assert normalised(path) == expected


@given(
    st.text(st.sampled_from("./a\\ \0") | st.characters())
    | st.lists(st.sampled_from(["/workspace/", "..", "/", "a", "."])).map("".join)
)
def test_no_path_leaves_the_workspace(path: str) -> None:
    try:
        inside = normalised(path)
    except FileError:
        return
    assert posixpath.normpath(posixpath.join("/workspace", inside)) == f"/workspace/{inside}"
    assert ".." not in inside.split("/")


def test_reading() -> None:
    files = Memory({"a.py": b"one\ntwo\nthree\n", "empty": b""})
    assert apply(Read(path="/workspace/a.py"), files) == Applied("a.py, 3 lines:\none\ntwo\nthree\n")
    assert apply(Read(path="a.py", first_line=2, lines=1), files).text == "a.py, lines 2 to 2 of 3 lines:\ntwo\n"
    assert apply(Read(path="a.py", first_line=4), files).text == "Error: a.py has 3 lines only"
    assert apply(Read(path="empty"), files).text == "empty is empty."


def test_writing() -> None:
    files = Memory()
    write = Write(path="a/b.py", content="x\ny\n")
    assert apply(write, files) == Applied("Wrote a/b.py: 2 lines.", changed=True)
    assert files == {"a/b.py": b"x\ny\n"}
    assert apply(write, files) == Applied("a/b.py has held exactly that already: nothing changed.")
    assert apply(Write(path="a/b.py", content="x"), files).text == "Wrote a/b.py: 1 line (it had 2)."
    assert apply(Write(path="link", content="x"), files) == Applied("Error: link is a link")
    assert apply(Write(path="../x", content="x"), files) == Applied("Error: '../x' is outside the workspace")


def test_a_module_with_wrong_syntax_is_not_written() -> None:
    files = Memory({"a.py": b"x = 1\n"})
    done = apply(Write(path="a.py", content="def f():\nreturn 1\n"), files)
    assert done.text.startswith("Error: a.py is not written, its syntax is wrong: line 2: expected an indented block")
    assert apply(Write(path="a.py", content="x = '\0'"), files).changed is False
    assert apply(Write(path="a.py", content="(" * 5000), files).changed is False
    assert files == {"a.py": b"x = 1\n"}
    assert apply(Write(path="a.txt", content="def f():\nreturn 1\n"), files).changed


def test_a_module_keeps_what_others_use() -> None:
    files = Memory({"a.py": b"class Cart:\n    pass\n\ndef own():\n    pass\n", "b.py": b"from a import Cart\n"})
    assert apply(Write(path="a.py", content="x = 1\n"), files).text == (
        "Error: a.py is not written: Cart is missing, which b.py uses. "
        "Give all lines of the file, also those that stay as they are"
    )
    assert apply(Write(path="a.py", content="class Cart:\n    x = 1\n"), files).changed
    assert apply(Write(path="b.py", content=""), files).changed
    assert apply(Write(path="a.py", content=""), files).changed
    assert files == {"a.py": b"", "b.py": b""}


def test_a_part_of_a_module_takes_its_place() -> None:
    files = Memory({"a.py": b"def one():\n    return 2\n\n\ndef two():\n    return 2\n", "b.py": b"two()"})
    done = apply(Write(path="a.py", content="def one():\n    return 1\n"), files)
    assert done == Applied("Wrote what you gave of a.py; the rest of it is as it was.", changed=True)
    assert files["a.py"] == b"def one():\n    return 1\n\n\ndef two():\n    return 2\n"


def test_a_function_that_is_alone_comes_to_the_others() -> None:
    files = Memory({"a.py": b"def one():\n    return 1\n"})
    assert apply(Write(path="a.py", content="def two():\n    return 2\n"), files).changed
    assert files["a.py"] == b"def one():\n    return 1\n\n\ndef two():\n    return 2\n"
    assert apply(Write(path="a.py", content="def two():\n    return 3\n"), files).changed
    assert files["a.py"] == b"def two():\n    return 3\n"


def test_a_function_of_another_file_is_not_written() -> None:
    files = Memory({"a.py": b"class A:\n    pass\n", "b.py": b"from a import A\n\ndef total():\n    return 1\n"})
    done = apply(Write(path="a.py", content="def total():\n    return 2\n"), files)
    assert done == Applied(
        "Error: a.py is not written: total is in b.py. Is it right there? Then look at what it calls"
    )


def test_a_broken_module_may_become_anything() -> None:
    files = Memory({"a.py": b"class Cart\n", "b.py": b"from a import Cart\n"})
    assert apply(Write(path="a.py", content="x = 1\n"), files).changed


def test_editing() -> None:
    files = Memory({"a.py": b"def one():\n    return 1\n\ndef two():\n    return 1\n"})
    assert apply(Edit(path="a.py", old="two", new="three"), files) == Applied("Edited a.py, line 4.", changed=True)
    assert files["a.py"] == b"def one():\n    return 1\n\ndef three():\n    return 1\n"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit(path="a.py", old="return 1", new="x"), "occurs 2 times"),
        (Edit(path="a.py", old="one", new="one"), "the same"),
        (Edit(path="a.py", old="def one() :\n  return 1", new="x"), "There it says:\ndef one():\n    return 1"),
        (Edit(path="a.py", old="class Nothing:", new="x"), "Read the file, or write the whole of it."),
        (Edit(path="b.py", old="x", new="y"), "there is no b.py"),
    ],
)
def test_edits_that_do_not_fit(edit: Edit, words: str) -> None:
    before = {"a.py": b"def one():\n    return 1\n\ndef two():\n    return 1\n"}
    files = Memory(before)
    done = apply(edit, files)
    assert done.text.startswith("Error: ")
    assert words in done.text
    assert (done.changed, files) == (False, before)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("core.py", "There are: pkg/core.py."),
        ("pkg", "There are: pkg/core.py, pkg/data.bin, pkg/large."),
        ("pkg/cor.py", "There are: pkg/core.py"),
        ("pkg/data.bin", "is no text"),
        ("pkg/large", "too large (1,000,001 bytes)"),
    ],
)
def test_files_that_cannot_be_read(path: str, words: str) -> None:
    files = Memory({"pkg/core.py": b"", "pkg/data.bin": b"\xff\xfe", "pkg/large": b"a" * 1_000_001})
    assert words in apply(Read(path=path), files).text


def test_nothing_to_read() -> None:
    assert apply(Read(path="a"), Memory()).text == "Error: there is no a. The workspace is empty."


def test_the_overview_shows_small_texts() -> None:
    files = Memory({"b/c.py": b"c\n", "a.py": b"a\n", "data": b"\xff", "long": b"x" * 4001, "empty": b""})
    assert overview(files, 100) == "a.py:\n```\na\n```\n\nb/c.py:\n```\nc\n```"
    assert overview(files, 3) == "a.py:\n```\na\n```"
    assert overview(Memory(), 100) == ""


def test_a_listing_is_bounded() -> None:
    assert listing(["a", "b"]) == "All files:\na\nb"
    long = listing([f"folder/file{number}.py" for number in range(1000)])
    assert len(long) < 2500
    assert long.endswith(" more]")


@given(st.text(max_size=30), st.text(min_size=1, max_size=10), st.text(max_size=10))
def test_an_edit_changes_what_it_says_or_nothing(text: str, old: str, new: str) -> None:
    files = Memory({"a": text.encode()})
    changed = apply(Edit(path="a", old=old, new=new), files).changed
    assert changed == (text.count(old) == 1 and old != new and "\0" not in text)
    assert files["a"].decode() == (text.replace(old, new) if changed else text)
