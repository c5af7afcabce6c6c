"""The checker: runs in the sandbox, judges a submission that runs in another process, and prints its verdict.

What it is to check, and a token, come on standard input; the verdict is the one line of its output that begins with the
token. Its memory and descriptors cannot be opened by the submission's process, as it is not dumpable. It imports
nothing from the workspace. Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import copy
import ctypes
import json
import linecache
import math
import os
import secrets
import sys
import traceback
import types
import unittest
from collections.abc import Callable
from typing import Any

from activities.benchmarks import remote

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
MOST_TOLD = 5
TOLD_CHARS = 200
CHECKS, SETUP = "<checks>", "<setup>"
"""What tracebacks call the task's own code."""
ITERATOR: type[Any] = type(iter([]))
"""What comes of a generator of the submission's."""
RELATIVE = 1e-7
FLOATS = 1e-6
"""Tolerance between floats where a task names none."""


class Verdict:
    """How many checks there are, how many have passed, and which have not."""

    def __init__(self) -> None:
        """Begin with none."""
        self.total = 0
        self.passed = 0
        self.failed: list[list[str]] = []

    def add(self, name: str, check: Callable[[], str]) -> None:
        """Run a check; it returns what is wrong, or raises."""
        self.total += 1
        try:
            wrong = check()
        except remote.TimeUpError:
            raise
        except AssertionError as error:
            wrong = _line(error) or "is not so"
        except BaseException as error:  # noqa: BLE001 - is told
            wrong = _describe(error)
        self.count(name, wrong)

    def count(self, name: str, wrong: str) -> None:
        """Count a check that has run; ``wrong`` is empty where it passed."""
        if not wrong:
            self.passed += 1
        elif len(self.failed) < MOST_TOLD:
            self.failed.append([name[:TOLD_CHARS], wrong[:TOLD_CHARS]])


def check_asserts(submission: remote.Submission, spec: dict[str, Any], verdict: Verdict) -> None:
    """Run assertions with the submission's function; other names that they use are those of ``setup``."""
    namespace = _run(spec["setup"])
    namespace[spec["name"]] = remote.Function(submission, spec["module"], spec["function"])
    for source in spec["asserts"]:

        def check(source: str = source) -> str:
            exec(compile(source, CHECKS, "exec"), namespace)  # noqa: S102 - the task's own
            return ""

        verdict.add(source, check)


def check_cases(submission: remote.Submission, spec: dict[str, Any], verdict: Verdict) -> None:
    """Compare what the submission's function returns with what is expected, or with what the reference returns."""
    function, namespace = remote.Function(submission, spec["module"], spec["function"]), _run(spec["setup"])
    expected = spec["expected"]
    for number, arguments in enumerate(spec["cases"]):
        wanted = expected[number] if expected is not None else namespace[spec["function"]](*copy.deepcopy(arguments))

        def check(arguments: list[Any] = arguments, wanted: object = wanted) -> str:
            got = function(*arguments)
            if type(got) is ITERATOR and spec["loose"]:
                got = list(got)
            if spec["accept"]:
                return "" if namespace[spec["accept"]](arguments, got) is True else f"{got!r:.100} is not accepted"
            return (
                "" if same(got, wanted, spec["tolerance"], loose=spec["loose"]) else f"{got!r:.80}, not {wanted!r:.80}"
            )

        verdict.add(f"case {number + 1}: {arguments!r:.100}", check)


def check_unittest(submission: remote.Submission, spec: dict[str, Any], verdict: Verdict) -> None:
    """Run test files of ``unittest`` here, with proxies of the submission's modules."""
    for name in spec["modules"]:
        sys.modules[name] = remote.RemoteModule(name, submission.ask("import", name))
    suites = []
    for name, source in spec["tests"]:
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - the task's own
        suites.append(unittest.defaultTestLoader.loadTestsFromModule(module))
    suite = unittest.TestSuite(suites)
    verdict.total = suite.countTestCases()
    result = unittest.TestResult()
    suite.run(result)
    wrong = [*result.errors, *result.failures, *((test, "skipped") for test, _ in result.skipped)]
    for test, told in [*wrong, *((test, "not as expected") for test, _ in result.expectedFailures)]:
        verdict.count(str(test), told.strip().splitlines()[-1])
    failed = {str(test) for test, _ in [*wrong, *result.expectedFailures]} | set(map(str, result.unexpectedSuccesses))
    verdict.passed = result.testsRun - len(failed)
    if submission.seconds >= spec["seconds"]:
        raise remote.TimeUpError


CONTROL = """
import unittest

def test_one():
    assert [1] == [2]

def test_two():
    assert [1] == [1]

class Test(unittest.TestCase):
    def test_three(self):
        self.assertEqual(1, 2)

    def test_four(self):
        with self.assertRaises(ValueError):
            pass
"""
"""Tests that are run with the others: where all pass, somebody has seen to that."""
CONTROLLED = {"test_one": "failed", "test_two": "passed", "Test::test_three": "failed", "Test::test_four": "failed"}


def check_pytest(submission: remote.Submission, spec: dict[str, Any], verdict: Verdict) -> None:
    """Have tests run beside the submission; each must be reported once, as passed, by whoever has the token."""
    token, control = secrets.token_hex(16), f"test_{secrets.token_hex(8)}.py"
    with open(os.path.join(spec["folder"], control), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123 - light
        file.write(CONTROL)
    reported: dict[str, list[str]] = {}
    strangers: list[str] = []

    def tell(said: str, test: str, outcome: str) -> None:
        if said != token:
            strangers.append(test)
        reported.setdefault(test, []).append(outcome)

    ids = [*spec["fail_to_pass"], *spec["pass_to_pass"]]
    ended = submission.ask("run_tests", tell, token, [*ids, control])
    finished = type(ended) is tuple and ended[:1] == (token,)
    for name, outcome in CONTROLLED.items():
        if reported.get(f"{control}::{name}") != [outcome]:
            strangers.append(control)
    for test in ids:
        outcomes = reported.get(test, [])
        verdict.total += 1
        sound = outcomes == ["passed"] and finished and not strangers
        verdict.count(test, "" if sound else ", ".join(map(str, outcomes)) or "did not run")


FORMS = {"pytest": check_pytest, "asserts": check_asserts, "cases": check_cases, "unittest": check_unittest}


def same(got: object, wanted: object, tolerance: float, *, loose: bool) -> bool:
    """Compare values of built-in types exactly; floats within a tolerance.

    Args:
        got: by the submission.
        wanted: by the reference.
        tolerance: absolute, between floats; 0 is the usual one.
        loose: tuples and lists are the same, as in JSON.

    """
    if loose:
        got, wanted = _as_json(got), _as_json(wanted)
    if got == wanted:
        return True
    if not tolerance and not _holds_floats(wanted):
        return False
    return type(got) is type(wanted) and _close(got, wanted, tolerance or FLOATS)


def _as_json(value: Any) -> Any:  # noqa: ANN401 - any value
    if type(value) in (list, tuple):
        return [_as_json(each) for each in value]
    return value


def _holds_floats(value: Any) -> bool:  # noqa: ANN401 - any value
    return type(value) is float or (type(value) in (list, tuple) and bool(value) and all(map(_holds_floats, value)))


def _close(got: Any, wanted: Any, tolerance: float) -> bool:  # noqa: ANN401 - any values
    if type(wanted) in (list, tuple):
        pairs = zip(got, wanted) if type(got) is type(wanted) and len(got) == len(wanted) else None  # noqa: B905
        return pairs is not None and all(_close(one, other, tolerance) for one, other in pairs)
    if type(got) not in (int, float) or type(wanted) not in (int, float):
        return bool(type(got) is type(wanted) and got == wanted)
    if math.isnan(got) or math.isnan(wanted):
        return math.isnan(got) and math.isnan(wanted)
    return bool(got == wanted or abs(got - wanted) <= tolerance + RELATIVE * abs(wanted))


def _run(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "checks"}
    linecache.cache[SETUP] = (len(source), None, source.splitlines(keepends=True), SETUP)
    exec(compile(source, SETUP, "exec"), namespace)  # noqa: S102 - the task's own
    return namespace


def _line(error: BaseException) -> str:
    """Return the line of the task's own code that has failed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in (CHECKS, SETUP)]
    return (frames[-1].line or "") if frames else ""


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    except Exception:  # noqa: BLE001 - its text fails
        return type(error).__name__


def judge(request: dict[str, Any]) -> dict[str, Any]:
    """Check the submission; return the verdict."""
    spec, verdict, outcome = request["checks"], Verdict(), ""
    spec = {**spec, "seconds": request["seconds"], "folder": request["folder"]}
    try:
        submission = remote.Submission(request["bootstrap"], request["modules"], request["folder"], request["seconds"])
    except (OSError, remote.EndedError) as error:  # nothing of the submission has run
        failed = [["before the checks", _describe(error)[:TOLD_CHARS]]]
        return {"outcome": "sandbox_error", "passed": 0, "total": 0, "failed": failed, "seconds": 0}
    try:
        FORMS[spec["form"]](submission, spec, verdict)
    except remote.TimeUpError:
        outcome = "timeout"
    except BaseException as error:  # noqa: BLE001 - the submission's, before its first check
        verdict.failed.append(["before the checks", _describe(error)[:TOLD_CHARS]])
    finally:
        submission.close()
    solved = not verdict.failed and verdict.total > 0 and verdict.passed == verdict.total
    wrong = "oom" if submission.out_of_memory else "wrong"
    return {
        "outcome": outcome or ("solved" if solved else wrong),
        "passed": verdict.passed,
        "total": verdict.total,
        "failed": verdict.failed,
        "seconds": submission.seconds,
    }


def main(request: dict[str, Any]) -> None:
    """Judge, and print the verdict."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0):
        raise OSError("this process could be read by the submission's")
    token = request.pop("token")
    verdict = judge(request)
    sys.stdout.write(f"\n{token} {json.dumps(verdict)}\n")  # tests may have left a line without its end
    sys.stdout.flush()
