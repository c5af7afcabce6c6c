"""Proxies of a submission's objects, with a real process beside this one, without a sandbox."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.benchmarks.remote import EndedError, Remote, RemoteModule, Submission, SubmissionError, TimeUpError
from activities.benchmarks.score import BOOTSTRAP, SUBMISSION, sources

CODE = """
class Point:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x
    def __hash__(self): return self.x
    def __lt__(self, other): return self.x < other.x
    def __len__(self): return self.x
    def __iter__(self): return iter(range(self.x))
    def __getitem__(self, key): return key * self.x
    def __add__(self, other): return Point(self.x + other)
    def __enter__(self): return self
    def __exit__(self, *_): self.x = -1
    def me(self): return self

class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False

class OwnError(ValueError): pass
class Stranger(BaseException): pass

def fail(kind, *args): raise {"own": OwnError, "stranger": Stranger, "exit": SystemExit}.get(kind, ValueError)(*args)
def apply(function, *args): return function(*args)
def same(function, other): return function is other
def count(n): yield from range(n)
def echo(value): return value
def caught(function):
    try: function()
    except LookupError as error: return type(error).__name__, error.args
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Submission]:
    """A submission's process."""
    (tmp_path / "points.py").write_text(CODE)
    process = Submission(BOOTSTRAP, sources(SUBMISSION), str(tmp_path), seconds=30)
    yield process
    process.close()


@pytest.fixture
def points(process: Submission) -> Any:  # noqa: ANN401 - has what the submission has
    """Its module."""
    return RemoteModule("points", process.ask("import", "points"))


def test_objects_stay_there_and_values_come(points: Any) -> None:  # noqa: ANN401
    three = points.Point(3)
    assert (three.x, len(three), list(three), three[4]) == (3, 3, [0, 1, 2], 12)
    assert (three + 2).x == 5
    assert points.Point(2) < three
    assert isinstance(three, points.Point)
    assert not isinstance(3, points.Point)
    assert three.me() is three
    with three as entered:
        assert entered is three
    assert three.x == -1
    three.x = 7
    assert three.x == 7
    assert repr(three) == "<a Point of the submission>"
    assert list(points.count(3)) == [0, 1, 2]
    assert points.echo([three])[0] is three


def test_objects_are_equal_as_they_say_to_one_another_alone(points: Any) -> None:  # noqa: ANN401
    assert points.Point(3) == points.Point(3)
    assert points.Point(3) != points.Point(4)
    assert not points.Point(3) == 3  # noqa: SIM201 - both operators are tried
    assert points.Point(3) != 3


def test_what_equals_everything_equals_nothing(points: Any) -> None:  # noqa: ANN401
    for other in (points.Equal(), points.Point(3), 3, None, "x"):
        assert not points.Equal() == other  # noqa: SIM201
    assert [points.Equal()] != [3]
    assert {"a": points.Equal()} != {"a": 3}


def test_plain_values_are_never_told_to_be_compared_with(points: Any) -> None:  # noqa: ANN401
    with pytest.raises(TypeError):
        assert points.Point(3) < 4
    assert 2 in points.Point(3)
    assert 3 not in points.Point(3)


def test_exceptions_by_class(points: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=r"^wrong$") as caught:
        points.fail("builtin", "wrong")
    assert type(caught.value) is ValueError
    with pytest.raises(points.OwnError) as own:
        points.fail("own", "a", 1)
    assert own.value.args == ("a", 1)
    assert issubclass(points.OwnError, ValueError)
    assert isinstance(own.value, ValueError)


@pytest.mark.parametrize("kind", ["stranger", "exit"])
def test_what_would_end_the_checker_does_not(points: Any, kind: str) -> None:  # noqa: ANN401
    with pytest.raises(SubmissionError):
        points.fail(kind)


def test_functions_of_the_checker_are_called_here(points: Any) -> None:  # noqa: ANN401
    heard: list[object] = []
    assert points.apply(heard.append, 5) is None
    assert points.apply(lambda a, b: a + b, 1, 2) == 3
    assert points.apply(lambda function: points.apply(function, 4), lambda n: n + 1) == 5
    assert heard == [5]

    def fail() -> None:
        raise KeyError("here")

    assert points.caught(fail) == ("KeyError", ("here",))
    assert points.same(fail, fail) is True
    assert points.echo(fail) is fail


def test_names_that_are_not_there(points: Any) -> None:  # noqa: ANN401
    with pytest.raises(AttributeError):
        _ = points.nothing
    with pytest.raises(ImportError):
        exec("from points import __path__", {})  # noqa: S102 - as a test file does


WRITE = """
import os
for descriptor in range(3, 300):
    try: os.write(descriptor, len({0}).to_bytes(4, "big") + {0})
    except OSError: pass
"""


def ending(code: str) -> Callable[[Path], Submission]:
    """Return what starts a submission of this code."""

    def start(folder: Path) -> Submission:
        (folder / "solution.py").write_text(code)
        return Submission(BOOTSTRAP, sources(SUBMISSION), str(folder), seconds=1.5)

    return start


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import os\nos._exit(0)", EndedError),
        ("while True: pass", TimeUpError),
        *(
            (WRITE.format(data), EndedError)
            for data in (
                b"x",
                b"[]",
                b"{}",
                b'{"result": ["none"]}',
                b'{"result": ["reference", 5]}',
                b'{"result": ["reference", {"theirs": 9}]}',
                b'{"raised": [], "args": []}',
                b'{"raised": [["x", 1]], "args": []}',
                b'{"raised": [[0, "OSError"]], "args": 7}',
                b'{"call": 9, "args": 1, "kwargs": 1}',
                b'{"call": "x"}',
            )
        ),
    ],
)
def test_a_process_that_ends_or_is_no_honest_one(tmp_path: Path, code: str, error: type[BaseException]) -> None:
    process = ending(code)(tmp_path)
    try:
        with pytest.raises(error):
            process.ask("import", "solution")
        assert not issubclass(error, Exception)  # no check expects it
    finally:
        process.close()


def test_memory_errors_are_noted(tmp_path: Path) -> None:
    process = ending("raise MemoryError")(tmp_path)
    try:
        with pytest.raises(MemoryError):
            process.ask("import", "solution")
        assert process.out_of_memory
    finally:
        process.close()


def test_a_remote_needs_its_process(process: Submission) -> None:
    module = process.ask("import", "points")
    assert type(module) is Remote
    process.close()
    with pytest.raises(EndedError):
        _ = module.Point
