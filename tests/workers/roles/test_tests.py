"""What alert rules and the dashboard of the integration tests read is there to be read."""

import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import yaml  # type: ignore[import-untyped] # a dependency of huggingface-hub, without types
from temporalio.client import WorkflowFailureError
from temporalio.worker import Worker

from activities.blobs import BlobStore
from activities.testruns.collect import CollectActivity
from activities.testruns.run_module import RunModuleActivity
from activities.testruns.selection import Selection
from tests.support.ports import free_port
from tests.support.suites import GOOD, MIXED, workspace, write_suite
from tests.support.waiting import until
from tests.workers.test_telemetry import scrape
from workers.clients.schedules import create_schedule, delete_schedule
from workers.clients.testruns import latest_by_schedule, start_run
from workers.roles.tests import Gauges, permitted
from workers.settings import PROJECT, TelemetrySettings
from workers.telemetry import StageMetrics, build_runtime
from workers.temporal import connect
from workflows.names import TESTS_QUEUE, WORKFLOW_QUEUE
from workflows.testruns.contracts import RunRequest
from workflows.testruns.workflow import IntegrationRun

DOCKER = PROJECT / "docker"


def read_names() -> set[str]:
    """Name the metrics that rules and dashboard read."""
    rules = yaml.safe_load((DOCKER / "alerts-tests.yml").read_text())
    panels = json.loads((DOCKER / "dashboard-tests.json").read_text())["panels"]
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    expressions += [target["expr"] for panel in panels for target in panel["targets"]]
    return {name for text in expressions for name in re.findall(r"june_\w+", text)}


@pytest.mark.slow
@pytest.mark.usefixtures("address")
async def test_everything_that_is_read_is_measured(tmp_path: Path) -> None:
    port = free_port()
    telemetry = TelemetrySettings(metrics_address=f"127.0.0.1:{port}")
    client = await connect(telemetry)
    root = write_suite(tmp_path / "suite", test_good=GOOD, test_mixed=MIXED)
    place = workspace(tmp_path / "workspace")
    tests = [
        CollectActivity(place, root).collect,
        RunModuleActivity(place, root, BlobStore.open("memory://")).run_module,
    ]
    measured = {"interceptors": [StageMetrics()]}
    async with (
        Worker(client, task_queue=WORKFLOW_QUEUE, workflows=[IntegrationRun]),
        Worker(client, task_queue=TESTS_QUEUE, activities=tests, **measured),  # type: ignore[arg-type]
    ):
        good = RunRequest(selection=Selection(tests=("test_good.py",)))
        name = f"hourly-{uuid4().hex[:6]}"
        await create_schedule(client, name, good, cron="", every=timedelta(hours=1), time_zone="UTC")
        await client.get_schedule_handle(f"tests/{name}").trigger()
        run = await start_run(client, RunRequest())
        with pytest.raises(WorkflowFailureError):
            await client.get_workflow_handle(run).result()

        async def counted() -> bool:
            return f"tests/{name}" in await latest_by_schedule(client)

        await until(counted)
    gauges = Gauges(build_runtime(telemetry.metrics_address, telemetry.telemetry_hosts).metric_meter)
    await gauges.look(client)
    metrics = scrape(port)
    wanted = read_names() - {"june_stage_failures_total"}  # as nothing failed
    assert {name for name in wanted if f"\n{name}{{" not in metrics and f"\n{name} " not in metrics} == set()
    lines = metrics.splitlines()
    passed = {
        line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines if "june_test_run_last_passed{" in line
    }
    assert {value for labels, value in passed.items() if name in labels} == {"1"}
    assert {value for labels, value in passed.items() if 'schedule=""' in labels} == {"0"}
    assert any("june_test_run_finished_total{" in line and 'outcome="failed"' in line for line in lines)
    assert any("june_test_run_tests_total{" in line and 'outcome="xfailed"' in line for line in lines)
    assert 'le="7200"' in metrics
    await delete_schedule(client, name)
    await gauges.look(client)
    assert re.search(rf"june_test_run_last_passed{{[^}}]*{name}[^}}]*}} 1", scrape(port))


def test_tests_know_june_and_no_secret_that_is_not_named() -> None:
    variables = {
        "PATH": "/bin",
        "TEMPORAL_ADDRESS": "x:7233",
        "JUNE_HOME": "/srv/june",
        "JUNE_INTEGRATION_TURN_SECONDS": "60",
        "JUNE_WEB_PASSWORD": "web",
        "JUNE_TELEGRAM_TOKEN": "token",
        "JUNE_LLM_API_KEY": "key",
        "JUNE_METRICS_ADDRESS": "127.0.0.1:9460",
        "GITHUB_TOKEN": "not ours",
        "PYTEST_ADDOPTS": "-x",
    }
    seen = permitted(variables, ("JUNE_WEB_PASSWORD",))
    assert seen.keys() == {
        "PATH",
        "TEMPORAL_ADDRESS",
        "JUNE_HOME",
        "JUNE_INTEGRATION_TURN_SECONDS",
        "JUNE_WEB_PASSWORD",
    }
    assert "JUNE_WEB_PASSWORD" not in permitted(variables, ())
