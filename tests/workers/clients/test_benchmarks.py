"""Benchmark runs from a client's side: started, found, followed, steered, listed, and deleted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode
from activities.benchmarks.report import Reported, ReportRequest
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Owner
from tests.support.benchmark_world import BenchmarkWorld, benchmarks, until_set
from tests.support.waiting import until
from workers.clients import benchmarks as runs
from workers.clients import coding as tasks
from workers.clients.testruns import Handle, ended
from workers.errors import JuneError, UnavailableError
from workflows.benchmarks.contracts import BenchmarkRequest, BenchmarkStatus, RunOutcome
from workflows.names import WORKFLOW_QUEUE


@pytest.fixture
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


@pytest.fixture
async def world(client: Client) -> AsyncIterator[BenchmarkWorld]:
    """Workers for the queues of a run."""
    async with benchmarks(client, BenchmarkWorld()) as world:
        yield world


async def started(client: Client, **fields: object) -> Handle:
    """Start a run."""
    request = BenchmarkRequest.model_validate({"data_set": "scripted", "first": 2, **fields})
    return await runs.start_run(client, request, runs.new_name("scripted", Mode.COMPLETION) + uuid4().hex)


async def test_a_run_is_started_once_by_its_name(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "QUERY_TIMEOUT", timedelta(seconds=0.3))
    name = uuid4().hex
    handle = await runs.start_run(client, BenchmarkRequest(data_set="x"), name)
    with pytest.raises(JuneError, match="under way already"):
        await runs.start_run(client, BenchmarkRequest(data_set="x"), name)
    found = [(await runs.find_run(client, each)).id for each in (name, handle.id)]
    assert found == [f"bench/{name}"] * 2
    with pytest.raises(UnavailableError, match="june doctor"):
        await runs.status_of(handle)
    await handle.terminate("enough")
    report = await runs.report_of(handle)
    assert report
    assert report.outcome is RunOutcome.FAILED
    status = await runs.last_status_of(handle)
    assert (status.outcome, status.report) == (RunOutcome.FAILED, report)


async def test_what_is_no_run_is_not_found(client: Client) -> None:
    other = await client.start_workflow("Other", id=f"bench/{uuid4().hex}", task_queue=WORKFLOW_QUEUE)
    for name in (other.id, "elsewhere", "../../etc/passwd", "x" * 2000):
        with pytest.raises(JuneError, match="no run"):
            await runs.find_run(client, name)
    await other.terminate()


async def test_without_a_worker_nothing_is_begun(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "OF_RUNS", f"WorkflowType = '{uuid4().hex}'")
    monkeypatch.setattr(runs, "GPU_QUEUE", nobody := f"nobody-{uuid4().hex}")
    monkeypatch.setitem(runs.ROLES, nobody, "gpu")
    with pytest.raises(UnavailableError, match="june worker gpu"):
        await runs.require_workers(client, Mode.STT)


@pytest.mark.parametrize(
    ("mode", "roles"),
    [
        (Mode.COMPLETION, ["gpu", "sandbox"]),
        (Mode.STT, ["gpu", "sandbox"]),
        (Mode.TTS, ["gpu", "cpu", "sandbox"]),
        (Mode.TURNS, ["gpu", "cpu", "file", "sandbox"]),
    ],
)
async def test_the_workers_of_each_mode_are_asked_for(
    client: Client, monkeypatch: pytest.MonkeyPatch, mode: Mode, roles: list[str]
) -> None:
    asked: list[str] = []

    async def living(_client: Client, queue: str) -> int:
        asked.append(runs.ROLES[queue])
        return 1

    monkeypatch.setattr(runs, "OF_RUNS", f"WorkflowType = '{uuid4().hex}'")
    monkeypatch.setattr(runs, "living_pollers", living)
    await runs.require_workers(client, mode)
    assert asked == roles


async def test_a_run_is_followed_steered_and_listed(
    client: Client, world: BenchmarkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "POLL_SECONDS", 0.05)
    go_on = asyncio.Event()
    world.behaviours["complete"] = until_set(go_on)
    handle = await started(client)
    await runs.require_workers(client, Mode.COMPLETION)
    await until(lambda: bool(world.asked("complete")))
    await runs.tell(handle, "pause")
    await runs.tell(handle, "set_parallel", 2)
    status = await runs.status_of(handle)
    assert (status.paused, status.parallel, status.running) == (True, 2, ("Set/0 #0",))
    await runs.tell(handle, "resume")
    go_on.set()
    news: list[BenchmarkStatus | None] = [each async for each in runs.follow(handle)]
    assert news[-1]
    assert (news[-1].done, news[-1].outcome) == (2, RunOutcome.FINISHED)
    with pytest.raises(JuneError, match="has ended"):
        await runs.tell(handle, "pause")

    async def is_listed() -> bool:
        listed = [run async for run in runs.list_runs(client)]
        return any(run.id == handle.id and run.report and run.report.score == "2 of 2" for run in listed)

    await until(is_listed)
    assert (await runs.find_run(client)).id == handle.id, "the last one"


async def test_a_run_is_cancelled(client: Client, world: BenchmarkWorld) -> None:
    world.behaviours["complete"] = until_set(asyncio.Event())
    handle = await started(client)
    await until(lambda: bool(world.asked("complete")))
    report = await runs.cancel(handle)
    assert report
    assert (report.outcome, report.attempts) == (RunOutcome.CANCELLED, 0)
    with pytest.raises(JuneError, match="has ended"):
        await runs.cancel(handle)


async def test_a_report_is_read_and_a_run_deleted_with_all_its_files(client: Client, world: BenchmarkWorld) -> None:
    blobs = BlobStore.open("memory://")
    storage = CodingStorage(blobs)
    attempt = Attempt(task="Set/0", outcome=AttemptOutcome.SOLVED)

    async def report(request: ReportRequest) -> Reported:
        owner = Owner(platform="bench", chat=request.pinned.run)
        refs = {
            name: await storage.put(owner, data, "text/plain", ending)
            for name, data, ending in (
                ("results_jsonl", attempt.model_dump_json().encode() + b"\n", "jsonl"),
                ("report_json", b"{}\n", "json"),
                ("report_html", b"<html>", "html"),
            )
        }
        return Reported(score="1 of 1", **refs)

    world.behaviours["report"] = report
    handle = await started(client)
    with pytest.raises(JuneError, match="under way"):
        await runs.delete_run(client, handle, blobs)
    await ended(handle)
    files = await runs.stored_files(handle, blobs)
    assert (files.report_json, files.report_html) == (b"{}\n", b"<html>")
    judged = await runs.judged(handle, blobs)
    assert (judged.attempts, judged.pinned.data_set) == ((attempt,), "scripted")

    async def attempts_are_listed() -> bool:
        return (await client.count_workflows(f"WorkflowId STARTS_WITH '{handle.id}/'")).count == 2

    await until(attempts_are_listed)
    assert await runs.delete_run(client, handle, blobs) == 3

    async def is_gone() -> bool:
        try:
            await handle.describe()
        except RPCError:
            return (await client.count_workflows(f"WorkflowId STARTS_WITH '{handle.id}'")).count == 0
        return False

    await until(is_gone)


async def test_without_a_report_there_is_a_sentence(client: Client, world: BenchmarkWorld) -> None:
    handle = await started(client, tasks=["nothing"])
    await ended(handle)
    with pytest.raises(JuneError, match="has no report: scripted has no task nothing"):
        await runs.stored_files(handle, BlobStore.open("memory://"))


async def test_the_agents_tasks_are_listed_with_no_others(client: Client, world: BenchmarkWorld) -> None:
    handle = await started(client, mode="agent", first=1)
    await ended(handle)
    child = f"{handle.id}/Set/0/0/agent"

    async def is_visible() -> bool:
        return (await client.count_workflows(f"WorkflowType = 'CodingTask' AND WorkflowId = '{child}'")).count == 1

    await until(is_visible)
    assert child not in [task.id async for task in tasks.list_tasks(client)]
