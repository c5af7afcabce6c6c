"""Scores in the real sandbox: right is solved, and no way to cheat is."""

from typing import cast

import pytest

from activities.benchmarks.score import STEERING, Outcome, ReferenceFailedError, Scorer, ScoringLimits, read_verdict
from activities.sandbox.sandbox import ExecResult, Sandbox, SandboxError, Sandboxes, SandboxLimits
from agent.tasks.task import BenchmarkTask
from tests.activities.benchmarks.cheats import (
    BOX,
    BOX_RUN,
    CHEATS,
    DOUBLE,
    DOUBLE_CASES,
    EQUAL,
    FRAME_WALKER,
    PRELUDE,
    TEST_RUN_CHEATS,
    UNIT_TEST_CHEATS,
    Cheat,
)

pytestmark = pytest.mark.slow
RIGHT = "def twice(n):\n    return 2 * n\n"


@pytest.mark.parametrize("task", [DOUBLE, DOUBLE_CASES], ids=lambda task: task.id)
async def test_the_right_function_solves_it(scorer: Scorer, task: BenchmarkTask) -> None:
    score = await scorer.score(task, {"solution.py": "import helper\ndouble = helper.twice", "helper.py": RIGHT})
    assert (score.outcome, score.passed, score.failed) == (Outcome.SOLVED, score.total, ())


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
async def test_no_cheat_gets_through(scorer: Scorer, cheat: Cheat) -> None:
    score = await scorer.score(DOUBLE, {"solution.py": cheat.code, **cheat.files})
    assert score.outcome in (cheat.outcome, Outcome.TIMEOUT), score  # the latter where the machine is busy


async def test_a_cheat_that_got_through_would_be_seen(scorer: Scorer) -> None:
    score = await scorer.score(DOUBLE, {"solution.py": f"{PRELUDE}\ntried(lambda: os.getppid())"})
    assert score.outcome == Outcome.SOLVED


@pytest.mark.parametrize("cheat", UNIT_TEST_CHEATS, ids=lambda cheat: cheat.name)
async def test_no_cheat_gets_through_unit_tests(scorer: Scorer, cheat: Cheat) -> None:
    score = await scorer.score(BOX, {"box.py": cheat.code, **cheat.files})
    assert score.outcome in (cheat.outcome, Outcome.TIMEOUT), score  # the latter where the machine is busy


@pytest.mark.parametrize("cheat", TEST_RUN_CHEATS, ids=lambda cheat: cheat.name)
async def test_these_cheats_do_not_get_through_where_tests_run_beside_them(scorer: Scorer, cheat: Cheat) -> None:
    score = await scorer.score(BOX_RUN, {"box.py": cheat.code, **cheat.files})
    assert score.outcome in (cheat.outcome, Outcome.TIMEOUT), score  # the latter where the machine is busy


async def test_what_gets_through_where_tests_run_beside_the_submission(scorer: Scorer) -> None:
    """The docs say so: in one process, whoever looks for the token finds it."""
    assert (await scorer.score(BOX_RUN, {"box.py": FRAME_WALKER})).outcome == Outcome.SOLVED


@pytest.mark.parametrize(
    "code",
    [
        EQUAL + "def double(n): return Equal()",
        "class Number(float):\n    def __eq__(self, other): return True\ndef double(n): return Number(1)",
        "import os\ndef double(n): os._exit(0)",
        "def double(n):\n    n.append(0) if type(n) is list else None\n    return n",
    ],
)
async def test_cases_are_compared_with_the_reference_elsewhere(scorer: Scorer, code: str) -> None:
    score = await scorer.score(DOUBLE_CASES, {"solution.py": code})
    assert (score.outcome, score.passed, score.total) == (Outcome.WRONG, 0, 5)


async def test_a_failed_check_is_told(scorer: Scorer) -> None:
    score = await scorer.score(DOUBLE, {"solution.py": "def double(n): return 6 if n == 3 else 1 / 0"})
    assert (score.outcome, score.passed, score.total) == (Outcome.WRONG, 1, 4)
    assert [(each.check, each.why) for each in score.failed] == [
        ("assert double(20) == 40", "ZeroDivisionError: division by zero"),
        ("assert double('ab') == 'abab'", "ZeroDivisionError: division by zero"),
        ("assert abs(double(4) - 8) < 1e-6", "ZeroDivisionError: division by zero"),
    ]


async def test_a_reference_that_fails_says_so(scorer: Scorer) -> None:
    task = DOUBLE.model_copy(update={"reference": {"solution.py": "def double(n): return 3 * n"}})
    with pytest.raises(ReferenceFailedError, match="The reference of double does not solve it: wrong"):
        await scorer.score(task, DOUBLE.reference)


class DyingSandbox:
    """A sandbox that dies, or is not to be had."""

    def __init__(self, code: str) -> None:
        """Fail with this code."""
        self.code = code
        self.runs = 0

    async def create(self, *_: object) -> Sandbox:
        """Return itself."""
        return cast(Sandbox, self)

    async def exec(self, *_: object) -> ExecResult:
        """Fail, and count the attempt."""
        self.runs += 1
        raise SandboxError(self.code, "It died.")

    async def destroy(self) -> None:
        """Do nothing."""


async def test_a_sandbox_that_dies_is_no_fault_of_the_submission_nor_the_last_word() -> None:
    sandbox = DyingSandbox("sandbox-died")
    scorer = Scorer(cast(Sandboxes, sandbox), ScoringLimits(SandboxLimits()))
    for runs in (1, 2):
        assert (await scorer.score(DOUBLE, {})).outcome == Outcome.SANDBOX_ERROR
        assert sandbox.runs == runs


async def test_isolation_that_is_not_there_is_told() -> None:
    scorer = Scorer(cast(Sandboxes, DyingSandbox("sandbox-unavailable")), ScoringLimits(SandboxLimits()))
    with pytest.raises(SandboxError, match="It died"):
        await scorer.score(DOUBLE, {})


async def test_a_slow_reference_gives_more_time(scorer: Scorer) -> None:
    slow = "import time\ndef double(n):\n    time.sleep({})\n    return 2 * n\n"
    task = DOUBLE.model_copy(update={"id": "slow", "reference": {"solution.py": slow.format(0.1)}})
    assert (await scorer.score(task, {"solution.py": slow.format(0.6)})).outcome == Outcome.SOLVED
    assert (await scorer.score(DOUBLE, {"solution.py": slow.format(0.6)})).outcome == Outcome.TIMEOUT


async def test_environment_and_paths_are_set(scorer: Scorer) -> None:
    code = """
import os, sys, time
def double(n):
    same = (os.environ["TZ"], os.environ["PYTHONHASHSEED"], os.environ["LANG"], os.getcwd()) == (
        "UTC", "0", "C.UTF-8", "/workspace")
    return n + n if same else 0
"""
    files = {"solution.py": code, "../out.py": "", "/etc/passwd": ""}
    assert (await scorer.score(DOUBLE, files)).outcome == Outcome.SOLVED


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (ExecResult(0, 'abc {"outcome": "solved"}'), Outcome.WRONG),
        (ExecResult(0, '{"outcome": "solved", "passed": 1, "total": 1, "failed": [], "seconds": 1}'), Outcome.WRONG),
        (ExecResult(0, "abc solved"), Outcome.WRONG),
        (ExecResult(None, "", timed_out=True), Outcome.TIMEOUT),
        (ExecResult(None, "", out_of_memory=True), Outcome.OOM),
        (
            ExecResult(0, 'abc {"outcome":"wrong","passed":0,"total":1,"failed":[],"seconds":1}', out_of_memory=True),
            Outcome.OOM,
        ),
        (ExecResult(1, 'x\nabc {"outcome":"solved","passed":1,"total":1,"failed":[],"seconds":1}\ny'), Outcome.SOLVED),
    ],
)
def test_the_line_with_the_token_counts(result: ExecResult, outcome: Outcome) -> None:
    assert read_verdict(result, "abc").outcome == outcome


@pytest.mark.parametrize(
    ("path", "steers"),
    [
        ("conftest.py", True),
        ("a/b/Conftest.py", True),
        (".pytest.ini", True),
        ("pyproject.toml", True),
        ("usercustomize/__init__.py", True),
        ("x.pth", True),
        ("conftest_py", False),
        ("my_conftest.py", False),
        ("src/setup.py", False),
    ],
)
def test_files_that_steer_tests(path: str, steers: bool) -> None:
    assert bool(STEERING.fullmatch(path.lower())) is steers
