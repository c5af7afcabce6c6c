"""Coding tasks, with model and sandbox replaced by name."""

import asyncio
import logging
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError

from activities.coding.act import Acted, ActRequest, Verified
from activities.coding.think import ThinkRequest, Thought
from activities.error_codes import GAVE_WAY, CodingCode
from activities.values import BlobRef
from tests.support.coding_world import FINISH, CodingWorld, Step, hold_step, stored
from tests.support.waiting import until
from workflows.coding.contracts import (
    MAX_REMARK_CHARS,
    MAX_REMARKS,
    CodingOutcome,
    CodingReport,
    CodingRequest,
    CodingStage,
    CodingStatus,
)
from workflows.coding.workflow import MAX_INTERRUPTED, CodingTask
from workflows.names import CODING_MEMO, OUTCOME, WORKFLOW_QUEUE

logger = logging.getLogger(__name__)

Handle = WorkflowHandle[CodingTask, CodingReport]


async def start(client: Client, **fields: object) -> Handle:
    request = CodingRequest.model_validate({"task": "Make calc.py add up.", **fields})
    return await client.start_workflow(CodingTask.run, request, id=f"code/{uuid4().hex}", task_queue=WORKFLOW_QUEUE)


async def failure(handle: Handle) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def status_of(handle: Handle) -> CodingStatus:
    return await handle.query(CodingTask.status)


async def test_a_task_is_done_step_by_step(world: CodingWorld, client: Client) -> None:
    handle = await start(client, limits={"steps": 10})
    report = await handle.result()
    assert (report.outcome, report.code, report.summary) == (CodingOutcome.FINISHED, "", "It adds up now.")
    assert (report.steps, report.tests, report.tests_passed) == (4, "2 passed", True)
    assert (report.prompt_tokens, report.completion_tokens, report.model) == (400, 40, "scripted")
    assert report.comparison
    assert [file.path for file in report.comparison.files] == ["calc.py"]
    assert [name for name, _ in world.calls] == ["prepare", *["think", "act"] * 4, "compare"]
    status = await status_of(handle)
    assert status.stage is CodingStage.DONE
    assert [line.text for line in status.lines] == [
        "workspace of 2 files",
        "read calc.py: 1 line",
        "write calc.py: 1 failed, 1 passed",
        "run_tests: 2 passed",
        "finish: 2 passed",
    ]
    description = await handle.describe()
    assert description.typed_search_attributes.get(OUTCOME) == "finished"
    assert (await description.memo())[CODING_MEMO]["steps"] == 4


async def test_a_step_gets_what_the_one_before_it_left(world: CodingWorld, client: Client) -> None:
    await (await start(client)).result()
    thoughts: list[ThinkRequest] = world.asked("think")
    acts: list[ActRequest] = world.asked("act")
    assert [thought.transcript.key.partition("-")[2] for thought in thoughts] == [
        f"{number}.jsonl" for number in range(4)
    ]
    assert [act.workspace.key.partition("test/")[2] for act in acts] == [
        "baseline.tar",
        "baseline.tar",
        "workspace-2.tar",
        "workspace-2.tar",
    ]
    assert [thought.seed for thought in thoughts] == [1, 2, 3, 4]
    (compared,) = world.asked("compare")
    assert (compared.before, compared.after) == (stored("baseline"), stored("workspace-2"))


async def test_a_workspace_that_nothing_needs_is_deleted_by_the_next_step(world: CodingWorld, client: Client) -> None:
    world.steps = (*[Step("write", f"write {name}", changes=True) for name in "abc"], FINISH)
    await (await start(client)).result()
    superseded: list[BlobRef | None] = [act.superseded for act in world.asked("act")]
    assert superseded == [None, None, stored("workspace-1"), stored("workspace-2")], "never the one at first"


@pytest.mark.parametrize(
    ("steps", "limits", "code", "done"),
    [
        ([Step("run", f"run {number}", told=f"{number}") for number in range(9)], {"steps": 5}, "limit-steps", 5),
        ([Step("run", f"run {number}", told=f"{number}") for number in range(9)], {"tokens": 250}, "limit-tokens", 3),
        ([Step("run", "run make")], {"repeats": 3}, "repeating", 3),
        ([Step("", "no action")], {"problems": 4}, "format-errors", 4),
    ],
)
async def test_limits_end_a_task_and_keep_what_was_done(
    world: CodingWorld, client: Client, steps: list[Step], limits: dict[str, int], code: str, done: int
) -> None:
    world.steps, world.verified = steps, Verified(passed=False, line="1 failed")
    report = await (await start(client, limits=limits)).result()
    assert (report.outcome, report.code, report.steps) == (CodingOutcome.UNFINISHED, code, done)
    assert report.reason
    assert (report.tests, report.tests_passed) == ("1 failed", False)
    assert report.comparison
    assert len(world.asked("act")) == (0 if code == "format-errors" else done)


async def test_a_task_at_a_limit_whose_tests_pass_is_finished(world: CodingWorld, client: Client) -> None:
    world.steps = [Step("run", f"run {number}", told=f"{number}") for number in range(9)]
    report = await (await start(client, limits={"steps": 2})).result()
    assert (report.outcome, report.tests_passed) == (CodingOutcome.FINISHED, True)


async def test_time_is_a_limit_and_pauses_do_not_count(world: CodingWorld, client: Client) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    world.behaviours["act"] = hold_step(1, began, go_on)
    handle = await start(client, limits={"seconds": 600})
    await asyncio.wait_for(began.wait(), 20)
    await handle.signal(CodingTask.pause)
    go_on.set()
    await until(lambda: _is_paused(handle))
    assert len(world.asked("think")) == 1
    await client.start_workflow("CodingTask", CodingRequest(task="Another."), id=f"code/{uuid4().hex}", task_queue="q")
    await handle.signal(CodingTask.resume)
    report = await handle.result()
    assert report.outcome is CodingOutcome.FINISHED
    assert report.seconds < 60


async def _is_paused(handle: Handle) -> bool:
    return (await status_of(handle)).stage is CodingStage.PAUSED


async def test_what_is_said_reaches_the_next_step(world: CodingWorld, client: Client) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    world.behaviours["act"] = hold_step(1, began, go_on)
    handle = await start(client)
    await asyncio.wait_for(began.wait(), 20)
    await handle.signal(CodingTask.say, "  Use integers.  ")
    for number in range(30):
        await handle.signal(CodingTask.say, f"remark {number} " + "x" * 5000)
    go_on.set()
    await handle.result()
    first, second, third, _ = (request.remarks for request in world.asked("think"))
    assert (first, third) == ((), ())
    assert second[0].text == "Use integers."
    assert len(second) == MAX_REMARKS
    assert max(len(remark.text) for remark in second) == MAX_REMARK_CHARS
    assert not any(remark.by_june for remark in second)


async def test_a_model_that_repeats_itself_is_told_so_before_it_is_stopped(world: CodingWorld, client: Client) -> None:
    world.steps = [Step("run", "run make")]
    await (await start(client, limits={"repeats": 3})).result()
    told = [[remark.text for remark in request.remarks if remark.by_june] for request in world.asked("think")]
    assert [len(remarks) for remarks in told] == [0, 0, 1]


async def test_a_cancelled_task_keeps_what_was_done(world: CodingWorld, client: Client) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    world.behaviours["act"] = hold_step(3, began, go_on)
    handle = await start(client)
    await asyncio.wait_for(began.wait(), 20)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    description = await handle.describe()
    assert description.status is WorkflowExecutionStatus.CANCELED
    report = CodingReport.model_validate((await description.memo())[CODING_MEMO])
    assert (report.outcome, report.code) == (CodingOutcome.CANCELLED, "cancelled")
    assert report.comparison
    assert report.workspace == stored("workspace-2")


async def test_a_paused_task_can_be_cancelled(world: CodingWorld, client: Client) -> None:
    handle = await start(client)
    await handle.signal(CodingTask.pause)
    await until(lambda: _is_paused(handle))
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert world.asked("compare")


async def test_a_step_whose_worker_dies_is_told_and_not_done_again(world: CodingWorld, client: Client) -> None:
    async def die(request: ActRequest) -> Acted | None:
        if request.step == 2:
            raise ApplicationError("the worker ends", type=CodingCode.SANDBOX_DIED.value, non_retryable=True)
        return None

    world.behaviours["act"] = die
    report = await (await start(client)).result()
    assert report.outcome is CodingOutcome.FINISHED
    assert report.steps == 4, "counted once"
    assert [request.interrupted for request in world.asked("think")] == [False, False, True, False]
    assert [request.step for request in world.asked("act")] == [1, 2, 3, 4]
    assert world.asked("act")[2].workspace == stored("baseline"), "as before the step"


async def test_a_step_that_ends_every_worker_ends_the_task(world: CodingWorld, client: Client) -> None:
    async def die(_request: ActRequest) -> Acted:
        raise ApplicationError("the worker ends", type=CodingCode.SANDBOX_DIED.value, non_retryable=True)

    world.behaviours["act"] = die
    cause = await failure(await start(client))
    assert (cause.type, cause.non_retryable) == ("sandbox-died", True)
    assert len(world.asked("act")) == MAX_INTERRUPTED + 1
    assert world.asked("compare")


@pytest.mark.parametrize(
    ("activity", "code"),
    [
        ("prepare", "workspace-too-large"),
        ("prepare", "sandbox-unavailable"),
        ("think", "model-refused"),
        ("act", "sandbox-unavailable"),
        ("act", "workspace-missing"),
    ],
)
async def test_what_is_not_there_ends_the_task_with_a_code_and_a_sentence(
    world: CodingWorld, client: Client, activity: str, code: str
) -> None:
    async def refuse(_request: Any) -> None:  # noqa: ANN401
        raise ApplicationError("A sentence.", type=code, non_retryable=True)

    world.behaviours[activity] = refuse
    handle = await start(client)
    cause = await failure(handle)
    assert (cause.type, cause.message) == (code, "A sentence.")
    report = CodingReport.model_validate(cause.details[0])
    assert (report.outcome, report.code, report.reason) == (CodingOutcome.FAILED, code, "A sentence.")
    assert (await handle.describe()).typed_search_attributes.get(OUTCOME) == "failed"
    assert bool(report.comparison) == (activity != "prepare")


async def test_a_model_that_is_gone_for_the_rest_of_the_time_ends_the_task(world: CodingWorld, client: Client) -> None:
    async def away(_request: ThinkRequest) -> Thought:
        raise ApplicationError("connection refused", type="model-unavailable")

    world.behaviours["think"] = away
    handle = await start(client, limits={"seconds": 300})
    cause = await failure(handle)
    assert cause.type == "model-unavailable"
    assert 5 < len(world.asked("think")) < 60
    assert world.asked("compare")


async def test_a_task_that_waits_for_live_turns_until_its_time_is_over_has_come_to_that_limit(
    world: CodingWorld, client: Client
) -> None:
    async def give_way(request: ThinkRequest) -> Thought | None:
        if request.step == 3:
            raise ApplicationError("a live turn goes first", type=GAVE_WAY)
        return None

    world.behaviours["think"] = give_way
    report = await (await start(client, limits={"seconds": 300})).result()
    assert (report.code, report.steps) == ("", 2), "and the tests pass"
    world.verified = Verified(passed=False, line="1 failed")
    report = await (await start(client, limits={"seconds": 300})).result()
    assert (report.outcome, report.code) == (CodingOutcome.UNFINISHED, "limit-seconds")


async def test_a_name_that_is_mistyped_is_refused(client: Client, world: CodingWorld) -> None:
    handle = await client.start_workflow(
        "CodingTask", {"task": "Do it.", "test_comand": "true"}, id=f"code/{uuid4().hex}", task_queue=WORKFLOW_QUEUE
    )
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert not world.calls


@pytest.mark.slow
async def test_a_long_task_stays_far_below_temporals_limits_and_goes_on_in_a_new_run(
    world: CodingWorld, client: Client
) -> None:
    """Nothing is counted or done twice."""
    line = "run python3 -m pytest -q tests/test_something.py -k " + "x" * 60
    told = [f"{number} failed, 12 passed" for number in range(349)]
    world.steps = [*(Step("run", f"{line}{text}", told=text, changes=True) for text in told), FINISH]
    handle = await start(client, limits={"steps": 400})
    first_run = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    report = await handle.result()
    assert (report.outcome, report.steps, report.prompt_tokens) == (CodingOutcome.FINISHED, 350, 35_000)
    assert [request.step for request in world.asked("act")] == list(range(1, 351))
    assert len(world.asked("prepare")) == 1
    assert report.baseline == stored("baseline")
    description = await first_run.describe()
    assert description.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    execution = description.raw_description.workflow_execution_info
    assert execution.history_length < 5000
    assert execution.history_size_bytes < 2_000_000
    steps = sum(
        event.activity_task_scheduled_event_attributes.activity_type.name == "act"
        for event in (await first_run.fetch_history()).events
    )
    logger.info("%d steps: %d events, %d bytes", steps, execution.history_length, execution.history_size_bytes)
    assert steps >= 250
