"""What the model is told of outcomes."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sandbox.sandbox import ExecResult
from agent.actions import Run, Search
from agent.files import Applied
from agent.observations import (
    NO_TESTS,
    TESTS_CHARS,
    of_change,
    of_command,
    of_tests,
    opening,
    outcome_in_a_line,
    shorten,
)
from tests.agent.test_files import Memory

FAILING = """============================= test session starts ==============================
platform linux -- Python 3.11.2, pytest-9.2.0
rootdir: /workspace
collected 2 items

test_sums.py .F                                                          [100%]

=================================== FAILURES ===================================
___________________________________ test_add ___________________________________

    def test_add():
>       assert add(1, 1) == 2
E       assert 0 == 2
E        +  where 0 = add(1, 1)

test_sums.py:5: AssertionError
=============================== warnings summary ===============================
test_sums.py:1
  a warning
=========================== short test summary info ============================
FAILED test_sums.py::test_add - assert 0 == 2
========================= 1 failed, 1 passed in 0.12s ==========================
"""
PASSING = "..                        [100%]\n2 passed in 0.01s\n"


def test_of_a_failing_run_what_matters_is_told() -> None:
    assert of_tests(ExecResult(1, FAILING)) == (
        "The tests fail (1 failed, 1 passed):\n"
        "    def test_add():\n"
        ">       assert add(1, 1) == 2\n"
        "E       assert 0 == 2\n"
        "E        +  where 0 = add(1, 1)\n"
        "\n"
        "test_sums.py:5: AssertionError"
    )


def test_frames_of_others_and_hints_that_do_not_help_are_left_out() -> None:
    output = """==================================== ERRORS ====================================
_____________________ ERROR collecting test_a.py ______________________
ImportError while importing test module '/workspace/test_a.py'.
Hint: make sure your test modules/packages have valid Python names.
Traceback:
/usr/lib/python3.11/importlib/__init__.py:126: in import_module
    return _bootstrap._gcd_import(name[level:], package, level)
           ^^^^^^^^^^^^^^^^^^^^
<frozen importlib._bootstrap>:1204: in _gcd_import
    ???
test_a.py:1: in <module>
    from a import b
E   ImportError: cannot import name 'b' from 'a'
=========================== short test summary info ============================
ERROR test_a.py
1 warning, 1 error in 0.12s
"""
    assert of_tests(ExecResult(2, output)) == (
        "The tests fail (1 error):\n"
        "test_a.py:1: in <module>\n    from a import b\nE   ImportError: cannot import name 'b' from 'a'"
    )


def test_a_module_that_is_not_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_a():\n    pytest.fail()\ndef test_b():\n    json.loads(unknown)\n")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    told = of_tests(ExecResult(ended.returncode, ended.stdout))
    assert told.endswith("\n\ntest_a.py lacks the line `import pytest`.\n\ntest_a.py lacks the line `import json`.")
    assert "lacks" not in of_tests(ExecResult(1, ended.stdout.replace("'pytest'", "'py'").replace("'json'", "'js'")))


def test_what_pytest_really_prints_is_shortened(tmp_path: Path) -> None:
    (tmp_path / "test_many.py").write_text("".join(f"def test_{n}():\n    assert {n} == -1\n" for n in range(5)))
    (tmp_path / "test_broken.py").write_text("import nothing_of_that_name\n")
    command = (sys.executable, "-m", "pytest", "-q", "-W", "ignore", "--continue-on-collection-errors")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    text = shorten(done.stdout)
    assert "No module named 'nothing_of_that_name'" in text
    assert "assert 0 == -1" in text
    assert "assert 4" not in text
    assert text.endswith("[3 more failures]")
    assert outcome_in_a_line(ExecResult(done.returncode, done.stdout)) == "5 failed, 1 error"


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (ExecResult(0, PASSING), "2 passed"),
        (ExecResult(1, FAILING), "1 failed, 1 passed"),
        (ExecResult(5, "\nno tests ran in 0.01s\n"), "no tests ran"),
        (ExecResult(2, "make: *** no rule"), "Exit code 2"),
        (ExecResult(None, PASSING, timed_out=True), "Killed: it took too long"),
        (ExecResult(None, "", out_of_memory=True), "Killed: out of memory"),
        (ExecResult(None, ""), "Killed"),
    ],
)
def test_a_line(result: ExecResult, line: str) -> None:
    assert outcome_in_a_line(result) == line


def test_other_output_is_cut() -> None:
    assert shorten("lines of make\n") == "lines of make"
    assert len(shorten("x" * 100_000)) <= TESTS_CHARS


@given(st.lists(st.sampled_from([*FAILING.splitlines(keepends=True), "===", "___ x ___\n"]) | st.text(max_size=9)))
def test_any_output_is_shortened(lines: list[str]) -> None:
    assert len(shorten("".join(lines))) <= 4 * TESTS_CHARS


def test_changes() -> None:
    wrote = Applied("Wrote a.py: 1 line.", changed=True)
    assert of_change(wrote, ExecResult(0, PASSING)).startswith("Wrote a.py: 1 line. The tests pass (2 passed).")
    assert of_change(wrote, None) == f"Wrote a.py: 1 line. {NO_TESTS}"
    assert of_change(Applied("Error: no"), ExecResult(0, PASSING)) == "Error: no"


def test_commands() -> None:
    assert of_command(Run(command="ls"), ExecResult(0, "a\nb\n")) == "Exit code 0, output:\na\nb"
    assert of_command(Run(command="ls"), ExecResult(2, "")) == "Exit code 2, without output."
    killed = ExecResult(None, "x", timed_out=True)
    assert of_command(Run(command="ls"), killed) == "Killed: it took too long, output:\nx"
    search = Search(pattern="x")
    assert of_command(search, ExecResult(0, "a:1:x\n")) == "a:1:x"
    assert of_command(search, ExecResult(1, "")) == "Nothing in . matches."
    assert of_command(search, ExecResult(2, "grep: Unmatched [")) == "Exit code 2.\ngrep: Unmatched ["


def test_what_is_told_first() -> None:
    assert opening("mend it", Memory(), None) == ""
    told = opening("mend it", Memory({"a.py": b"x = 1\n"}), ExecResult(1, "broken"))
    assert told == "a.py:\n```\nx = 1\n```\n\nThe tests fail (Exit code 1):\nbroken"
