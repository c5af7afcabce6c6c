"""Benchmarks, with data, model and sandbox replaced by name."""

import asyncio
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.complete import CompleteRequest
from activities.benchmarks.plan import Planned
from activities.benchmarks.report import ReportRequest
from activities.benchmarks.task_files import BenchmarkError
from tests.support.benchmark_world import BenchmarkWorld, until_set
from tests.support.waiting import until
from workflows.benchmarks import workflow as module
from workflows.benchmarks.contracts import BenchmarkReport, BenchmarkRequest, BenchmarkStatus, RunOutcome
from workflows.benchmarks.workflow import Benchmark
from workflows.names import BENCHMARK, BENCHMARK_MEMO, DATA_SET, MODEL, OUTCOME, WORKFLOW_QUEUE

Handle = WorkflowHandle[Benchmark, BenchmarkReport]
MANY = tuple(f"Set/{number}" for number in range(300))


async def start(client: Client, **fields: object) -> Handle:
    request = BenchmarkRequest.model_validate({"data_set": "scripted", **fields})
    return await client.start_workflow(Benchmark.run, request, id=f"bench/{uuid4().hex}", task_queue=WORKFLOW_QUEUE)


async def status_of(handle: Handle) -> BenchmarkStatus:
    return await handle.query(Benchmark.status)


async def failure(handle: Handle) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


def under_way(world: BenchmarkWorld) -> int:
    return len(world.asked("complete")) - len(world.asked("score"))


async def test_a_run_tries_each_task_and_reports(world: BenchmarkWorld, client: Client) -> None:
    handle = await start(client, samples=2, temperature=0.5, seed=7)
    report = await handle.result()
    assert (report.outcome, report.attempts, report.planned) == (RunOutcome.FINISHED, 12, 12)
    assert report.counts == {AttemptOutcome.SOLVED: 8, AttemptOutcome.WRONG: 4}
    assert report.score == "8 of 12"
    assert report.report_html
    (asked,) = world.asked("report")
    assert asked.outcome == "finished"
    assert [(attempt.task, attempt.sample) for attempt in world.reported(asked)] == [
        (task, sample) for task in world.tasks for sample in (0, 1)
    ]
    description = await handle.describe()
    attributes, memo = description.typed_search_attributes, (await description.memo())[BENCHMARK_MEMO]
    found = (attributes.get(OUTCOME), attributes.get(MODEL), attributes.get(DATA_SET))
    assert found == ("finished", "scripted", "scripted")
    assert (memo["score"], memo["counts"]["solved"]) == ("8 of 12", 8)
    assert (await status_of(handle)).report == report


async def test_what_decides_a_result_is_pinned(world: BenchmarkWorld, client: Client) -> None:
    handle = await start(client, first=2, temperature=0.5, seed=7, answer_tokens=100)
    await handle.result()
    (asked,) = world.asked("report")
    pinned = asked.pinned
    assert (pinned.run, pinned.tasks, pinned.samples) == (handle.id.removeprefix("bench/"), world.tasks[:2], 1)
    assert (pinned.model, pinned.model_sha256, pinned.server) == ("scripted", "1" * 64, "script 1")
    assert (pinned.temperature, pinned.top_p, pinned.seed, pinned.answer_tokens) == (0.5, 0.95, 7, 100)
    assert (pinned.data_sha256, pinned.isolation, pinned.machine) == ("0" * 64, "scripted, no network", "a machine")
    requests: list[CompleteRequest] = world.asked("complete")
    assert all(request.pinned == pinned.model_copy(update={"tasks": ()}) for request in requests)


async def test_attempts_are_children_found_by_task_and_data_set(world: BenchmarkWorld, client: Client) -> None:
    handle = await start(client, tasks=["Set/4"])
    await handle.result()
    child = await client.get_workflow_handle(f"{handle.id}/Set/4/0").describe()
    attributes = child.typed_search_attributes
    assert (child.workflow_type, child.status) == ("Attempt", WorkflowExecutionStatus.COMPLETED)
    assert (attributes.get(DATA_SET), attributes.get(MODEL), attributes.get(OUTCOME)) == (
        *("scripted", "scripted"),
        "solved",
    )
    assert len(world.asked("complete")) == 1


async def test_no_more_attempts_are_under_way_than_are_asked_for(world: BenchmarkWorld, client: Client) -> None:
    go_on = asyncio.Event()
    world.behaviours["complete"] = until_set(go_on)
    handle = await start(client, parallel=2)
    await until(lambda: under_way(world) == 2)
    assert (await status_of(handle)).running == ("Set/0 #0", "Set/1 #0")
    await handle.signal(Benchmark.set_parallel, 4)
    await until(lambda: under_way(world) == 4)
    await handle.signal(Benchmark.set_parallel, 1000)
    await until(lambda: under_way(world) == 6)
    assert (await status_of(handle)).parallel == 32
    go_on.set()
    assert (await handle.result()).attempts == 6


async def test_a_paused_run_begins_nothing(world: BenchmarkWorld, client: Client) -> None:
    go_on = asyncio.Event()
    world.behaviours["complete"] = until_set(go_on)
    handle = await start(client)
    await until(lambda: under_way(world) == 1)
    await handle.signal(Benchmark.pause)
    go_on.set()

    async def one_is_done() -> bool:
        status = await status_of(handle)
        return status.paused and status.done == 1 and not status.running

    await until(one_is_done)
    assert len(world.asked("complete")) == 1
    await handle.signal(Benchmark.resume)
    assert (await handle.result()).attempts == 6


async def test_a_run_that_is_cancelled_reports_what_was_done(world: BenchmarkWorld, client: Client) -> None:
    hold = until_set(asyncio.Event())

    async def complete(request: CompleteRequest) -> None:
        if request.task == "Set/2":
            await hold(request)

    world.behaviours["complete"] = complete
    handle = await start(client)
    await until(lambda: under_way(world) == 1 and len(world.asked("score")) == 2)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    description = await handle.describe()
    report = BenchmarkReport.model_validate((await description.memo())[BENCHMARK_MEMO])
    assert (report.outcome, report.attempts, report.score) == (RunOutcome.CANCELLED, 2, "2 of 2")
    child = await client.get_workflow_handle(f"{handle.id}/Set/2/0").describe()
    assert child.status is WorkflowExecutionStatus.CANCELED


async def test_a_long_run_goes_on_in_new_ones_and_counts_each_attempt_once(
    world: BenchmarkWorld, client: Client
) -> None:
    world.tasks = MANY
    handle = await start(client, parallel=8)
    first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    report = await handle.result()
    assert (report.attempts, report.counts[AttemptOutcome.SOLVED]) == (300, 200)
    (asked,) = world.asked("report")
    attempts = world.reported(asked)
    assert sorted(attempt.task for attempt in attempts) == sorted(MANY)
    assert len(asked.results) == 2
    size = sum(event.ByteSize() for event in (await first.fetch_history()).events)
    assert size < 2_000_000, "the largest of the run's histories"
    assert (await status_of(handle)).done == 300


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"tasks": ["Other/1"]}, "task-unknown"), ({"samples": 200}, "too-many-attempts")],
)
async def test_a_wrong_selection_fails_with_a_code(
    world: BenchmarkWorld, client: Client, fields: dict[str, object], code: str
) -> None:
    world.tasks = MANY
    handle = await start(client, **fields)
    error = await failure(handle)
    assert (error.type, error.non_retryable) == (code, True)
    report = BenchmarkReport.model_validate((await (await handle.describe()).memo())[BENCHMARK_MEMO])
    assert (report.outcome, report.code, report.attempts) == (RunOutcome.FAILED, code, 0)
    assert report.reason == error.message


async def test_a_data_set_that_is_not_there_fails_with_its_code(world: BenchmarkWorld, client: Client) -> None:
    async def plan(_request: object) -> Planned:
        raise BenchmarkError("data-set-unknown", "There is no data set scripted.")

    world.behaviours["plan"] = plan
    error = await failure(await start(client))
    assert (error.type, error.message) == ("data-set-unknown", "There is no data set scripted.")


async def test_bad_input_by_hand_fails_at_once(world: BenchmarkWorld, client: Client) -> None:
    for given in ({"data_set": "x", "paralel": 2}, {"data_set": ""}, {"data_set": "x", "parallel": 99}, {}):
        handle = await client.start_workflow(BENCHMARK, given, id=uuid4().hex, task_queue=WORKFLOW_QUEUE)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert not world.calls


async def test_an_attempt_that_somebody_ends_by_hand_is_counted_as_a_fault(
    world: BenchmarkWorld, client: Client
) -> None:
    go_on = asyncio.Event()
    world.behaviours["complete"] = until_set(go_on)
    handle = await start(client, first=2)
    await until(lambda: under_way(world) == 1)
    await client.get_workflow_handle(f"{handle.id}/Set/0/0").terminate("enough")
    go_on.set()
    report = await handle.result()
    assert report.counts == {AttemptOutcome.SOLVED: 1, AttemptOutcome.SANDBOX_ERROR: 1}


async def test_a_run_ends_though_the_report_fails(world: BenchmarkWorld, client: Client) -> None:
    async def fail(_request: ReportRequest) -> None:
        raise ApplicationError("no space", non_retryable=True)

    world.behaviours["report"] = fail
    report = await (await start(client, first=1)).result()
    assert (report.outcome, report.code) == (RunOutcome.FINISHED, "report-failed")
    assert "no space" in report.reason


async def test_speech_is_planned_and_measured_by_its_own_worker(world: BenchmarkWorld, client: Client) -> None:
    handle = await start(client, mode="stt", options={"noise": "10"}, model="whisper-base")
    report = await handle.result()
    assert report.counts == {AttemptOutcome.MEASURED: 6}
    assert not world.asked("plan")
    (planning,) = world.asked("plan_speech")
    assert (planning.mode, planning.model) == ("stt", "whisper-base")
    assert {request.pinned.options["noise"] for request in world.asked("measure")} == {"10"}


def test_a_run_goes_on_in_a_new_one_before_its_history_is_long() -> None:
    assert module.ATTEMPTS_A_RUN == 200


def test_attempts_are_small() -> None:
    assert len(Attempt(task="Set/1", outcome=AttemptOutcome.SOLVED).model_dump_json()) < 1000
