"""Attempts, with data, model and sandbox replaced by name."""

from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.benchmarks.attempts import Attempt, AttemptOutcome, attempt_seed
from activities.benchmarks.complete import Completed
from activities.benchmarks.judge import Scored
from activities.coding.act import Verified
from activities.error_codes import CodingCode, ErrorCode
from activities.errors import BadInputError
from tests.support.benchmark_world import SAID, WRONG, BenchmarkWorld
from tests.support.coding_world import Step, stored
from workflows.benchmarks.contracts import BenchmarkRequest
from workflows.benchmarks.workflow import Benchmark
from workflows.names import DATA_SET, WORKFLOW_QUEUE


async def attempt(world: BenchmarkWorld, client: Client, **fields: object) -> Attempt:
    """Run a benchmark of one task; return its attempt."""
    request = BenchmarkRequest.model_validate({"data_set": "scripted", "tasks": ["Set/1"], "seed": 3, **fields})
    name = uuid4().hex
    report = await client.execute_workflow(Benchmark.run, request, id=f"bench/{name}", task_queue=WORKFLOW_QUEUE)
    assert report.attempts == 1
    (attempt,) = world.reported(world.asked("report")[-1])
    return attempt


def answered(reason: str, *, is_empty: bool = False) -> Completed:
    return Completed(
        answer=stored("answer", "md"),
        is_empty=is_empty,
        finish_reason=reason,
        prompt_tokens=1,
        completion_tokens=2,
        seconds=1,
    )


def giving(*answers: object) -> Any:  # noqa: ANN401
    """Give or raise one after the other, the last again and again."""
    left = list(answers)

    async def behaviour(_request: object) -> Any:  # noqa: ANN401
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return behaviour


async def test_an_answer_is_scored(world: BenchmarkWorld, client: Client) -> None:
    done = await attempt(world, client)
    assert (done.outcome, done.passed, done.total, done.why) == (AttemptOutcome.SOLVED, 3, 3, "")
    assert (done.prompt_tokens, done.completion_tokens, done.model_seconds, done.sandbox_seconds) == (100, 20, 1.5, 0.2)
    assert done.answer
    assert done.patch
    (asked,) = world.asked("score")
    assert asked.answer == done.answer
    (completing,) = world.asked("complete")
    assert completing.waits_for_live


@pytest.mark.parametrize(
    ("completed", "scored", "outcome"),
    [
        (answered("stop"), WRONG, AttemptOutcome.WRONG),
        (answered("length"), WRONG, AttemptOutcome.LENGTH),
        (answered("repetition"), Scored(outcome=AttemptOutcome.FORMAT_ERROR), AttemptOutcome.LENGTH),
        (answered("stop"), Scored(outcome=AttemptOutcome.FORMAT_ERROR), AttemptOutcome.FORMAT_ERROR),
        (answered("stop", is_empty=True), Scored(outcome=AttemptOutcome.FORMAT_ERROR), AttemptOutcome.NO_SUBMISSION),
        (answered("stop"), Scored(outcome=AttemptOutcome.TIMEOUT), AttemptOutcome.TIMEOUT),
        (answered("stop"), Scored(outcome=AttemptOutcome.OOM), AttemptOutcome.OOM),
    ],
)
async def test_what_came_of_an_answer(
    world: BenchmarkWorld, client: Client, completed: Completed, scored: Scored, outcome: AttemptOutcome
) -> None:
    world.behaviours = {"complete": giving(completed), "score": giving(scored)}
    done = await attempt(world, client)
    assert (done.outcome, done.faults) == (outcome, ())


async def test_a_fault_of_the_sandbox_is_tried_again_without_asking_the_model_again(
    world: BenchmarkWorld, client: Client
) -> None:
    fault = Scored(outcome=AttemptOutcome.SANDBOX_ERROR, why="the sandbox has gone")
    world.behaviours["score"] = giving(fault, ApplicationError("it died", non_retryable=True), None)
    done = await attempt(world, client)
    assert (done.outcome, done.faults) == (AttemptOutcome.SOLVED, ("sandbox_error", "sandbox_error"))
    assert (len(world.asked("complete")), len(world.asked("score"))) == (1, 3)
    assert done.prompt_tokens == 100


async def test_faults_are_tried_three_times_in_all(world: BenchmarkWorld, client: Client) -> None:
    away = ApplicationError("the server is away", type=ErrorCode.MODEL_UNAVAILABLE.value, non_retryable=True)
    world.behaviours["complete"] = giving(away)
    done = await attempt(world, client)
    assert (done.outcome, done.faults) == (AttemptOutcome.MODEL_ERROR, ("model_error", "model_error"))
    assert done.why == "the server is away"
    assert len(world.asked("complete")) == 3


async def test_what_trying_again_does_not_mend_is_not_tried_again(world: BenchmarkWorld, client: Client) -> None:
    world.behaviours["score"] = giving(
        Scored(outcome=AttemptOutcome.SANDBOX_ERROR, why="The reference does not solve it.", reference_failed=True)
    )
    done = await attempt(world, client)
    assert (done.outcome, done.why, done.faults) == (
        AttemptOutcome.SANDBOX_ERROR,
        "The reference does not solve it.",
        (),
    )
    world.behaviours["complete"] = giving(BadInputError(ErrorCode.MODEL_REFUSED, "no such model"))
    done = await attempt(world, client)
    assert (done.outcome, done.faults) == (AttemptOutcome.MODEL_ERROR, ())


async def test_the_agent_works_on_the_tasks_files_and_its_workspace_is_scored(
    world: BenchmarkWorld, client: Client
) -> None:
    done = await attempt(world, client, mode="agent", limits={"steps": 9, "seconds": 100}, temperature=0.3)
    assert (done.outcome, done.steps) == (AttemptOutcome.SOLVED, 4)
    assert (done.prompt_tokens, done.completion_tokens) == (400, 40)
    assert (done.model_seconds, done.sandbox_seconds) == (2.0, 1.2)
    assert done.transcript
    assert done.patch
    assert done.answer is None
    thought = world.agent.asked("think")[0]
    assert (thought.model, thought.temperature) == ("scripted", 0.3)
    assert thought.seed == attempt_seed(3, "Set/1", 0) + 1
    assert (thought.owner.platform, thought.owner.thread) == ("bench", "Set-1.0-" + thought.owner.thread[-10:])
    (asked,) = world.asked("score")
    assert asked.workspace == stored("workspace-2")
    runs = [run async for run in client.list_workflows("WorkflowType = 'CodingTask' AND DataSet = 'scripted'")]
    assert any(run.id.endswith("/Set/1/0/agent") for run in runs)
    assert runs[0].typed_search_attributes.get(DATA_SET) == "scripted"


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ((Step("run", "run make"),), AttemptOutcome.LIMITS),
        ((Step(""),), AttemptOutcome.FORMAT_ERROR),
        ((Step("finish", told="1 failed", tests_passed=False, done=True),), AttemptOutcome.WRONG),
    ],
)
async def test_how_the_agent_has_ended_counts_where_it_has_not_solved_it(
    world: BenchmarkWorld, client: Client, steps: tuple[Step, ...], outcome: AttemptOutcome
) -> None:
    world.agent.steps, world.agent.verified = steps, Verified(passed=False, line="1 failed")
    world.behaviours["score"] = giving(WRONG)
    done = await attempt(world, client, mode="agent")
    assert done.outcome is outcome
    world.behaviours["score"] = giving(None)
    assert (await attempt(world, client, mode="agent")).outcome is AttemptOutcome.SOLVED


async def test_an_agent_whose_model_fails_is_a_fault(world: BenchmarkWorld, client: Client) -> None:
    away = ApplicationError("away", type=CodingCode.MODEL_UNAVAILABLE.value, non_retryable=True)
    world.agent.behaviours["think"] = giving(away, None)
    done = await attempt(world, client, mode="agent")
    assert (done.outcome, done.faults) == (AttemptOutcome.SOLVED, ("model_error",))


async def test_what_cannot_be_measured_is_unmeasured(world: BenchmarkWorld, client: Client) -> None:
    world.behaviours["measure"] = giving(ApplicationError("no such voice", non_retryable=True))
    done = await attempt(world, client, mode="tts")
    assert (done.outcome, done.why) == (AttemptOutcome.UNMEASURED, "no such voice")


async def test_a_text_is_said_before_it_is_heard(world: BenchmarkWorld, client: Client) -> None:
    done = await attempt(world, client, mode="tts")
    assert done.outcome is AttemptOutcome.MEASURED
    assert [name for name, _ in world.calls if name in {"say", "measure"}] == ["say", "measure"]
    assert world.asked("measure")[-1].said == SAID


async def test_turns_are_one_attempt(world: BenchmarkWorld, client: Client) -> None:
    done = await attempt(world, client, mode="turns", options={"chats": 3})
    assert done.outcome is AttemptOutcome.MEASURED
    (asked,) = world.asked("measure_turns")
    assert asked.pinned.options == {"chats": 3}
