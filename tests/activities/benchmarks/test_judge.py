"""Attempts judged by the real scorer, in the real sandbox."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import AttemptOutcome
from activities.benchmarks.judge import ScoreActivity, Scored, ScoreRequest, why
from activities.benchmarks.score import FailedCheck, Outcome, Score, Scorer
from activities.benchmarks.task_files import TaskFiles
from activities.coding.running import Runner
from activities.coding.storage import CodingStorage, Owner
from activities.sandbox.archive import Archive
from activities.values import BlobRef
from tests.activities.benchmarks.conftest import pinned

TASK = "HumanEval/2"
OWNER = Owner(platform="bench", chat="a-run")


@pytest.fixture
def judge(task_files: TaskFiles, storage: CodingStorage, scorer: Scorer, runner: Runner) -> ScoreActivity:
    return ScoreActivity(task_files, storage, scorer, runner.workspace_limits)


async def answer(storage: CodingStorage, text: str) -> BlobRef:
    return await storage.put(OWNER, text.encode(), "text/markdown", "md")


async def score(judge: ScoreActivity, **fields: object) -> Scored:
    request = ScoreRequest.model_validate({"pinned": pinned(), "task": TASK, "sample": 0, **fields})
    return await ActivityEnvironment().run(judge.score, request)


async def test_the_reference_solves_it(judge: ScoreActivity, storage: CodingStorage, task_files: TaskFiles) -> None:
    task = (await task_files.read("humaneval"))[1][TASK]
    code = f"```python\n{task.reference['solution.py']}\n```"
    scored = await score(judge, answer=await answer(storage, code))
    assert (scored.outcome, scored.why, scored.passed, scored.total) == (AttemptOutcome.SOLVED, "", 1, 1)
    assert scored.patch
    assert "+" in (await storage.get(scored.patch, 10_000)).decode()
    assert scored.seconds > 0


async def test_a_wrong_answer_is_wrong_and_nothing_hidden_is_told(judge: ScoreActivity, storage: CodingStorage) -> None:
    code = "```python\ndef truncate_number(number: float) -> float:\n    return number\n```"
    scored = await score(judge, answer=await answer(storage, code))
    assert (scored.outcome, scored.passed, scored.total) == (AttemptOutcome.WRONG, 0, 1)
    assert "assert" not in scored.why
    assert "0 of 1 checks passed" in scored.why
    assert scored.checks
    assert b"candidate" in await storage.get(scored.checks, 10_000)


async def test_no_code_is_a_format_error(judge: ScoreActivity, storage: CodingStorage) -> None:
    scored = await score(judge, answer=await answer(storage, "I would rather not."))
    assert scored.outcome is AttemptOutcome.FORMAT_ERROR


async def test_an_agents_workspace_is_scored_without_the_tests_that_it_saw(
    judge: ScoreActivity, storage: CodingStorage, task_files: TaskFiles, runner: Runner
) -> None:
    task = (await task_files.read("humaneval"))[1][TASK]

    async def workspace(files: dict[str, str]) -> BlobRef:
        archive = Archive(*runner.workspace_limits)
        for path, content in files.items():
            archive.write(path, content.encode())
        return await storage.put_workspace(OWNER, archive.dump())

    seen = {"test_examples.py": "raise SystemExit"}
    solved = await score(judge, workspace=await workspace(task.files | task.reference | seen))
    assert (solved.outcome, solved.patch) == (AttemptOutcome.SOLVED, None)
    untouched = await score(judge, workspace=await workspace(task.files | seen))
    assert untouched.outcome is AttemptOutcome.NO_SUBMISSION


async def test_without_anything_to_score_it_fails_for_good(judge: ScoreActivity) -> None:
    with pytest.raises(ApplicationError) as failed:
        await score(judge)
    assert failed.value.non_retryable


def test_why_tells_what_the_submission_said_itself() -> None:
    own = FailedCheck(check="before the checks", why="SyntaxError: invalid syntax")
    hidden = FailedCheck(check="assert candidate(1) == 2", why="assert candidate(1) == 2")
    assert why(Score(outcome=Outcome.WRONG, failed=(own,))) == "SyntaxError: invalid syntax"
    assert why(Score(outcome=Outcome.WRONG, passed=1, total=2, failed=(hidden,))) == "1 of 2 checks passed."
    assert why(Score(outcome=Outcome.SOLVED, passed=2, total=2)) == ""
