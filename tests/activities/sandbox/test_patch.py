"""Patches of one file; ``test_changes`` has git apply them."""

import base64
import hashlib

import pytest

from activities.sandbox import patch
from activities.sandbox.archive import File, Link
from activities.sandbox.patch import section


def hunks(old: str, new: str) -> str:
    """Return the patch from one text to another, from its first hunk on."""
    text = section("a", File(old.encode()), File(new.encode())).text
    return text[text.index("@@") :]


def test_changed_text() -> None:
    before, after = "".join(f"{n}\n" for n in range(20)), "".join(f"{n}\n" for n in range(20) if n != 10)
    assert section("dir/a.txt", File(before.encode()), File(after.encode())) == (
        "diff --git a/dir/a.txt b/dir/a.txt\n"
        "index 19df0a2d8a..10621911b3 100644\n"
        "--- a/dir/a.txt\n"
        "+++ b/dir/a.txt\n"
        "@@ -8,7 +8,6 @@\n 7\n 8\n 9\n-10\n 11\n 12\n 13\n",
        0,
        1,
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n"),
        ("", "b\n", "@@ -0,0 +1 @@\n+b\n"),
        ("a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n"),
        ("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        ("a\nb", "c\nb", "@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n"),
        ("a\r\n", "a\n", "@@ -1 +1 @@\n-a\r\n+a\n"),
        ("a\u2028b\x0c\n", "a\n", "@@ -1 +1 @@\n-a\u2028b\x0c\n+a\n"),
    ],
)
def test_hunks(old: str, new: str, expected: str) -> None:
    assert hunks(old, new) == expected


def test_new_and_deleted() -> None:
    assert section("a", None, File(b"x\n", executable=True)) == (
        "diff --git a/a b/a\nnew file mode 100755\nindex 0000000000..587be6b4c3\n"
        "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n",
        1,
        0,
    )
    text = "diff --git a/a b/a\ndeleted file mode 100644\nindex e69de29bb2..0000000000\n"
    assert section("a", File(b""), None) == (text, 0, 0)


def test_modes() -> None:
    text = "diff --git a/a b/a\nold mode 100644\nnew mode 100755\n"
    assert section("a", File(b"x"), File(b"x", executable=True)) == (text, 0, 0)


def test_links() -> None:
    assert "new file mode 120000\n" in section("a", None, Link("b")).text
    text, added, removed = section("a", Link("b"), File(b"1\n2\n"))
    assert text.index("deleted file mode 120000") < text.index("new file mode 100644")
    assert (added, removed) == (2, 1)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a b", "--- a/a b\t\n+++ b/a b\t\n"),
        ("ä", "--- a/ä\n+++ b/ä\n"),
        ('"', '--- "a/\\""\n+++ "b/\\""\n'),
        ("a \\", '--- "a/a \\\\"\n+++ "b/a \\\\"\n'),
    ],
)
def test_names(name: str, head: str) -> None:
    assert head in section(name, File(b"1"), File(b"2")).text


@pytest.mark.parametrize("data", [b"\0", b"\xff", b"text\0" * 100])
def test_what_is_no_text_is_binary(data: bytes) -> None:
    text, added, removed = section("a", File(b"text"), File(data))
    assert "GIT binary patch\nliteral " in text
    assert (added, removed) == (0, 0)
    text.encode()


def test_base85() -> None:
    for length in range(0, 200, 4):
        data = hashlib.shake_128(b"%d" % length).digest(length)
        assert patch._base85(data) == base64.b85encode(data).decode()
    assert patch._base85(b"a") == base64.b85encode(b"a", pad=True).decode()


def test_comparing_takes_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch, "MAX_COMPARED", 10)
    same = "".join(f"{n}\n" for n in range(5))
    expected = "@@ -3,10 +3,10 @@\n 2\n 3\n 4\n-a\n-b\n-c\n-d\n+d\n+c\n+b\n+a\n 0\n 1\n 2\n"
    assert hunks(f"{same}a\nb\nc\nd\n{same}", f"{same}d\nc\nb\na\n{same}") == expected
