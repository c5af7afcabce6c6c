"""A log of whatever is printed, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from activities.processes.bounded_log import BoundedLog


@given(st.lists(st.binary(max_size=50), max_size=50))
def test_beginning_and_end_are_kept(pieces: list[bytes]) -> None:
    log, everything = BoundedLog(head=20, tail=30), b"".join(pieces)
    for piece in pieces:
        log.write(piece)
    assert log.written == len(everything)
    if len(everything) <= 50:
        assert log.content() == everything
    else:
        gap = f"\n[... {len(everything) - 50} bytes left out ...]\n".encode()
        assert log.content() == everything[:20] + gap + everything[-30:]
    assert len(log._tail) <= 60 + 50


def test_the_end_begins_with_a_whole_line() -> None:
    log = BoundedLog()
    log.write("first line\nzweite Zeile ü\nlast\n".encode())
    assert log.end(1000) == "first line\nzweite Zeile ü\nlast\n"
    assert log.end(12) == "last\n"
    assert log.end(5) == ""
    long = BoundedLog(head=4, tail=4)
    long.write(b"0123456789")
    assert long.end(4) == "6789"
