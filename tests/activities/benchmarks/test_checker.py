"""Comparisons, and whole judgements with a real process beside this one; ``test_score`` has them in the sandbox."""

import math
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.benchmarks.checker import judge, same
from activities.benchmarks.score import BOOTSTRAP, SUBMISSION, sources

NUMBERS = st.floats(allow_nan=True) | st.integers(min_value=-(10**6), max_value=10**6)


@pytest.mark.parametrize(
    ("got", "wanted", "tolerance", "equal"),
    [
        (1, 1, 0, True),
        (1.0000001, 1.0, 0, True),
        (1.001, 1.0, 0, False),
        (1.001, 1.0, 0.01, True),
        (1, 1.0000001, 0, False),  # an int for a float: equal exactly, or not
        ([1.0, 2.0], [1.0, 2.0000001], 0, True),
        ((1.0, 2.0), [1.0, 2.0], 0, False),
        ([1.0], [1.0, 2.0], 0, False),
        ([1.0, [2.0]], [1.0, [2.0000001]], 0, True),
        ("1.0", 1.0, 0, False),
        (None, 1.0, 0, False),
        (math.inf, math.inf, 0, True),
        (math.inf, 1.0, 0, False),
        (math.nan, math.nan, 0, True),
        (math.nan, 1.0, 0, False),
        (True, 1, 0, True),
        ([], [], 0.1, True),
    ],
)
def test_values_are_compared(got: object, wanted: object, tolerance: float, equal: bool) -> None:
    assert same(got, wanted, tolerance, loose=False) is equal


def test_json_knows_no_tuples() -> None:
    assert same(((1, 2), [3]), [[1, 2], [3]], 0, loose=True)
    assert not same(((1, 2), [3]), [[1, 2], [3]], 0, loose=False)


@given(st.lists(NUMBERS | st.text(max_size=3) | st.none(), max_size=4), st.sampled_from([0, 1e-4]))
def test_what_is_the_same_is_equal(value: list[Any], tolerance: float) -> None:
    holds_nan = any(isinstance(each, float) and math.isnan(each) for each in value)
    assert holds_nan or same(value, list(value), tolerance, loose=True)


def judged(folder: Path, code: str, seconds: float = 20.0, **checks: Any) -> dict[str, Any]:  # noqa: ANN401
    """Judge a submission, without a sandbox and in this process."""
    (folder / "solution.py").write_text(code)
    defaults = {"module": "solution", "function": "f", "name": "f", "setup": "", "expected": None, "tolerance": 0}
    return judge(
        {
            "bootstrap": BOOTSTRAP,
            "modules": sources(SUBMISSION),
            "folder": str(folder),
            "seconds": seconds,
            "checks": {**defaults, "accept": "", "loose": False, **checks},
        }
    )


def test_assertions(tmp_path: Path) -> None:
    checks: dict[str, Any] = {
        "form": "asserts",
        "setup": "def g(n): return n",
        "asserts": ["assert f(1) == g(1)", "assert f(2) == 1"],
    }
    verdict = judged(tmp_path, "def f(n): return n", **checks)
    assert (verdict["outcome"], verdict["passed"], verdict["total"]) == ("wrong", 1, 2)
    assert verdict["failed"] == [["assert f(2) == 1", "is not so"]]


def test_a_failed_line_of_the_setup_is_told(tmp_path: Path) -> None:
    setup = "def check(candidate):\n    assert candidate(1) == 1\n    assert candidate(2) == 5, 'no'\n"
    verdict = judged(tmp_path, "def f(n): return n", form="asserts", setup=setup, asserts=["check(f)"])
    assert verdict["failed"] == [["check(f)", "assert candidate(2) == 5, 'no'"]]


@pytest.mark.parametrize(
    ("code", "outcome", "passed"),
    [
        ("def f(n): return [n, n]", "solved", 2),
        ("def f(n): return (n, n)", "wrong", 0),
        ("def f(n): return [1, 1]", "wrong", 1),
        ("f = 5", "wrong", 0),
        ("def g(n): return [n, n]", "wrong", 0),
        ("def f(n): return [n, n", "wrong", 0),
        ("def f(n): raise MemoryError", "oom", 0),
    ],
)
def test_cases(tmp_path: Path, code: str, outcome: str, passed: int) -> None:
    verdict = judged(tmp_path, code, form="cases", cases=[[1], [2]], expected=[[1, 1], [2, 2]])
    assert (verdict["outcome"], verdict["passed"]) == (outcome, passed)


def test_a_reference_says_what_is_expected_of_untouched_arguments(tmp_path: Path) -> None:
    setup = "def f(items):\n    items.sort()\n    return items\n"
    verdict = judged(tmp_path, "def f(items): return sorted(items)", form="cases", setup=setup, cases=[[[2, 1]], [[]]])
    assert (verdict["outcome"], verdict["passed"]) == ("solved", 2)


def test_any_of_several_results_is_accepted(tmp_path: Path) -> None:
    setup = "def f(n): return n\ndef fits(arguments, result): return result > arguments[0]\n"
    checks: dict[str, Any] = {"form": "cases", "setup": setup, "cases": [[1], [2]], "accept": "fits"}
    assert judged(tmp_path, "def f(n): return n + 7", **checks)["outcome"] == "solved"
    assert judged(tmp_path, "def f(n): return n", **checks)["outcome"] == "wrong"


def test_a_generator_stands_for_its_items_where_json_is_expected(tmp_path: Path) -> None:
    checks: dict[str, Any] = {"form": "cases", "cases": [[3]], "expected": [[0, 1, 2]]}
    assert judged(tmp_path, "def f(n): yield from range(n)", loose=True, **checks)["outcome"] == "solved"
    assert judged(tmp_path, "def f(n): yield from range(n)", **checks)["outcome"] == "wrong"
    assert judged(tmp_path, "def f(n):\n    while True: yield 0", loose=True, **checks)["outcome"] == "wrong"


UNIT_TESTS = """
import unittest
from solution import Box, TooFullError

class BoxTest(unittest.TestCase):
    def test_it_holds(self):
        box = Box()
        box.put(5)
        self.assertEqual(box.content, [5])
    def test_it_is_full(self):
        with self.assertRaises(TooFullError) as caught:
            Box().put("much")
        self.assertEqual(caught.exception.args, ("too full",))
"""
BOX = """
class TooFullError(Exception): pass
class Box:
    def __init__(self): self.content = []
    def put(self, item):
        if item == "much": raise TooFullError("too full")
        self.content.append(item)
"""


@pytest.mark.parametrize(
    ("old", "new", "outcome", "passed"),
    [
        ("", "", "solved", 2),
        ("too full", "full", "wrong", 1),
        ("append(item)", "append(7)", "wrong", 1),
        ("class Box", "class Other", "wrong", 0),
        ("self.content = []", "import os; os._exit(0)", "wrong", 0),
        ("self.content = []", "raise __import__('unittest').SkipTest", "wrong", 0),
    ],
)
def test_unit_tests_run_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, outcome: str, passed: int
) -> None:
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    checks: dict[str, Any] = {"form": "unittest", "modules": ["solution"], "tests": [["box_test", UNIT_TESTS]]}
    verdict = judged(tmp_path, BOX.replace(old, new, 1) if old else BOX, **checks)
    assert (verdict["outcome"], verdict["passed"]) == (outcome, passed)


def test_a_process_that_cannot_be_started_is_the_sandboxs_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert judged(tmp_path, "", form="cases", cases=[[1]])["outcome"] == "sandbox_error"


@pytest.mark.slow
def test_time_that_is_up(tmp_path: Path) -> None:
    for code in ("while True: pass", "def f(n):\n    while True: pass"):
        verdict = judged(tmp_path, code, seconds=1.0, form="cases", cases=[[1]], expected=[1])
        assert verdict["outcome"] == "timeout"
        assert 0.9 < verdict["seconds"] < 20
