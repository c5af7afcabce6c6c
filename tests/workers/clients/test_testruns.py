"""Runs on a server without workers: started, found, listed, and described in a line."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from workers.clients import testruns as runs
from workers.errors import JuneError, UnavailableError
from workflows.names import WORKFLOW_QUEUE
from workflows.testruns.contracts import RunOutcome, RunRequest


@pytest.mark.usefixtures("address")
async def test_a_run_is_started_once_by_its_name_and_listed(dev_server: WorkflowEnvironment) -> None:
    client, name = dev_server.client, uuid4().hex
    run = await runs.start_run(client, RunRequest(), name)
    assert run == f"tests/{name}"
    with pytest.raises(JuneError, match="under way already"):
        await runs.start_run(client, RunRequest(), name)
    assert (await runs.find_run(client, name)).id == run
    with pytest.raises(JuneError, match="no run elsewhere"):
        await runs.find_run(client, "elsewhere")
    await client.get_workflow_handle(run).terminate()
    handle = client.get_workflow_handle(run)
    await runs.ended(handle)
    listed = await runs.listed_run(await handle.describe())
    assert (listed.id, listed.outcome, listed.report) == (run, RunOutcome.ERROR, None), "terminated before it began"


async def test_a_run_without_a_worker_answers_no_query(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "QUERY_TIMEOUT", timedelta(seconds=0.5))
    run = await runs.start_run(dev_server.client, RunRequest(), uuid4().hex)
    handle = dev_server.client.get_workflow_handle(run)
    with pytest.raises(UnavailableError, match="june doctor"):
        await runs.status_of(handle)
    await handle.terminate()


async def test_another_workflow_is_no_run(dev_server: WorkflowEnvironment) -> None:
    other = await dev_server.client.start_workflow("Other", id=f"other/{uuid4().hex}", task_queue=WORKFLOW_QUEUE)
    with pytest.raises(JuneError, match="no run other"):
        await runs.find_run(dev_server.client, other.id)
    await other.terminate()


@pytest.mark.parametrize(
    ("selection", "summary"),
    [
        ({}, "all tests"),
        ({"tests": ["a.py", "b.py"], "markers": "slow"}, "a.py, b.py -m slow"),
        ({"keyword": "one"}, "all tests -k one"),
    ],
)
def test_a_request_in_a_line(selection: dict[str, object], summary: str) -> None:
    assert runs.summary_of(RunRequest.model_validate({"selection": selection})) == summary


def test_a_run_goes_by_its_name_or_its_workflow_id() -> None:
    assert runs.full_id("nightly") == "tests/nightly"
    assert runs.full_id("tests/nightly") == "tests/nightly"


@pytest.mark.parametrize(("minutes", "ago"), [(5, "5 min ago"), (119, "119 min ago"), (121, "2 h ago")])
def test_health_in_words(minutes: int, ago: str) -> None:
    ended = datetime.now(UTC) - timedelta(minutes=minutes)
    last = runs.ListedRun(id="tests/1", run_id="x", outcome=RunOutcome.FAILED, started_at=ended, ended_at=ended)
    health = runs.TestsHealth(ok=True, workers=2, last_seen_at=ended, running=1, last=last)
    assert health.sentence == f"2 tests workers live; 1 runs under way; the last run failed (tests/1) {ago}"


def test_health_without_workers_or_runs_in_words() -> None:
    health = runs.TestsHealth(ok=False, workers=0, last_seen_at=None, running=0, last=None)
    assert health.sentence.startswith("no tests worker lives: june worker tests")
    assert health.sentence.endswith("there was no run yet")
