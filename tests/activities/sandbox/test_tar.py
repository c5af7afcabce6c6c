"""Tar archives from others, and the members that june writes."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sandbox import tar
from activities.sandbox.tar import BLOCK, END, Member, encode, members


def block(
    name: bytes = b"a", kind: bytes = b"0", size: bytes = b"00000000000\0", target: bytes = b"", mode: int = 0o644
) -> bytes:
    """Make a ustar header, with whatever its fields are to hold."""
    head = name.ljust(100, b"\0")[:100] + b"%07o\0" % mode + b"0000000\0" * 2 + size + b"%011o\0" % 5
    tail = kind + target.ljust(100, b"\0")[:100] + b"ustar\x0000"
    checksum = sum(head + b" " * 8 + tail) & 0o777777
    return (head + b"%06o\0 " % checksum + tail).ljust(BLOCK, b"\0")


def sized(data: bytes, name: bytes = b"a", kind: bytes = b"0") -> bytes:
    """Make a member with data."""
    return block(name, kind, b"%011o\0" % len(data)) + data + bytes(-len(data) % BLOCK)


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    """Make a member of pax records, ``key=value`` each."""
    body = b""
    for record in records:
        length = len(record) + 3
        while len(b"%d %b\n" % (length, record)) != length:
            length += 1
        body += b"%d %b\n" % (length, record)
    return sized(body, b"pax", kind)


def test_one_member() -> None:
    (member,) = members(sized(b"data", b"dir/name") + END)
    assert member == Member("dir/name", tarfile.REGTYPE, mtime=5, data=b"data")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_others_write_is_read(form: int) -> None:
    name = "ü/" * 20 + "n" * 80  # ustar keeps it in two fields, GNU and pax in a member of its own
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        file = tarfile.TarInfo(name)
        file.size, file.mode, file.mtime = 3, 0o755, 1_700_000_000.25 if form == tarfile.PAX_FORMAT else 1_700_000_000
        archive.addfile(file, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "t" * (120 if form != tarfile.USTAR_FORMAT else 100)
        archive.addfile(link)
    found = list(members(buffer.getvalue()))
    assert found[0] == Member(name, tarfile.REGTYPE, "", True, 1_700_000_000, b"abc")
    assert found[1].target == link.linkname


@pytest.mark.parametrize("length", [1, 99, 100, 101, 511, 512, 513, 900])
def test_what_is_written_others_read(length: int) -> None:
    written = [
        Member("n" * length, tarfile.REGTYPE, "", True, 7, bytes(length)),
        Member("d" * length, tarfile.DIRTYPE),
        Member("ü" * length, tarfile.SYMTYPE, "t" * length),
    ]
    data = b"".join(part for member in written for part in encode(member)) + END
    read = list(members(data))
    assert read == [written[0], written[1]._replace(executable=True), written[2]._replace(executable=True)]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert [info.name for info in archive] == [member.name for member in written]
        assert {(info.uid, info.uname) for info in archive} == {(0, "")}


def test_times_before_1970_and_far_ahead_are_bounded() -> None:
    (early,) = members(b"".join(encode(Member("a", tarfile.REGTYPE, mtime=-5))) + END)
    (late,) = members(b"".join(encode(Member("a", tarfile.REGTYPE, mtime=1 << 60))) + END)
    assert (early.mtime, late.mtime) == (0, 0o77777777777)


def test_pax_overrides_name_size_and_target() -> None:
    data = pax(b"path=other", b"size=4", b"comment=x") + block(size=b"%011o\0" % 0) + b"data".ljust(BLOCK, b"\0")
    (member,) = members(data + END)
    assert (member.name, member.data) == ("other", b"data")
    (member,) = members(pax(b"linkpath=there") + block(kind=b"2", target=b"here") + END)
    assert member.target == "there"
    (member,) = members(pax(b"comment=made by git", kind=b"g") + block() + END)
    assert member.name == "a"


def test_names_that_are_not_utf8_come_as_surrogates() -> None:
    assert [member.name for member in members(block(b"\xff") + sized(b"\xfe\0", kind=b"L") + block() + END)] == [
        "\udcff",
        "\udcfe",
    ]


@pytest.mark.parametrize(
    "data",
    {
        "nothing": b"",
        "no end": sized(b"data"),
        "cut in a header": sized(b"data") + block()[:100],
        "cut in data": sized(bytes(600))[: BLOCK + 512],
        "wrong checksum": block().replace(b"a", b"b", 1) + END,
        "noise": b"\x1f\x8b" + bytes(range(256)) * 4,
        "size that is not there": block(size=b"77777777777\0") + END,
        "size beyond 8 GiB": block(size=b"\x80" + b"\xff" * 11) + END,
        "size below zero": block(size=b"\xff" * 12) + END,
        "size below zero, by one block": block(size=b"\xff" * 10 + b"\xfe\x00") + END,
        "size with a sign": block(size=b"-0000001000\0") + END,
        "pax size below zero": pax(b"size=-512") + block() + END,
        "pax size with blanks": pax(b"size= 1") + block() + END,
        "pax size that is not there": pax(b"size=999999999") + block() + END,
        "pax size in other digits": pax("size=٣".encode()) + block() + END,
        "pax size of a folder": pax(b"size=512") + block(kind=b"5") + END,
        "pax sparse": pax(b"GNU.sparse.realsize=9999999999") + block() + END,
        "pax path for all": pax(b"path=x", kind=b"g") + block() + END,
        "pax size for all": pax(b"size=1", kind=b"g") + block() + END,
        "pax path twice": pax(b"path=x", b"path=y") + block() + END,
        "pax twice": pax(b"path=x") + pax(b"path=y") + block() + END,
        "pax and a long name": pax(b"path=x") + sized(b"y\0", kind=b"L") + block() + END,
        "pax at the end": pax(b"path=x") + END,
        "pax record without end": sized(b"100 path=x\n", kind=b"x") + block() + END,
        "pax record of length 0": sized(b"0 path=x\n", kind=b"x") + block() + END,
        "pax record without number": sized(b"path=x\n", kind=b"x") + block() + END,
        "pax record without =": sized(b"9 path x\n", kind=b"x") + block() + END,
        "pax too long": sized(b"9" * (tar._MAX_RECORDS + 1), kind=b"x") + block() + END,
        "zero byte in a name": pax(b"path=a\0b") + block() + END,
        "zero byte in a long name": sized(b"a\0b\0", kind=b"L") + block() + END,
        "link with contents": sized(b"data", kind=b"2") + END,
        "folder with contents": sized(b"data", kind=b"5") + END,
        "hard link with contents": sized(b"data", kind=b"1") + END,
        "GNU sparse": sized(b"data", kind=b"S") + END,
    }.items(),
    ids=lambda item: item[0],
)
def test_damaged(data: tuple[str, bytes]) -> None:
    with pytest.raises(tarfile.TarError):
        list(members(data[1]))


def test_rows_of_long_names_end_soon() -> None:
    with pytest.raises(tarfile.TarError):
        list(members(sized(b"x" * 100, kind=b"L") * 10_000 + block() + END))


def test_what_follows_the_end_is_not_read() -> None:
    assert [member.name for member in members(block() + END + block(b"b") + b"noise")] == ["a"]


@given(st.binary(max_size=3 * BLOCK))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(tarfile.TarError):
        list(members(data.rstrip(b"\0") + b"x"))


@given(st.lists(st.tuples(st.integers(0, 5 * BLOCK), st.integers(0, 255)), max_size=4))
def test_any_change_of_a_few_bytes(places: list[tuple[int, int]]) -> None:
    data = bytearray(pax(b"path=long") + sized(b"some data", b"b") + block(b"c", kind=b"2", target=b"b") + END)
    for at, value in places:
        data[at % len(data)] = value
    try:
        found = list(members(bytes(data)))
    except tarfile.TarError:
        return
    assert all(len(member.data) <= len(data) and member.mtime >= 0 for member in found)
