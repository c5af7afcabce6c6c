"""``june tests``: what is said on the command line, and what comes of it on a server without workers."""

from datetime import timedelta
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest
import typer
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from activities.testruns.results import Outcome, make_result
from workers.clients import testruns as runs
from workers.clients.schedules import (
    create_schedule,
    delete_schedule,
    describe_schedule,
    list_schedules,
    pause_schedule,
)
from workers.commands.junit import junit
from workers.commands.testruns import app
from workers.commands.testruns_options import chats_of, owners_chats, request_of, span_of
from workers.errors import JuneError
from workers.roles.tests import permitted
from workflows.testruns.contracts import RunOutcome, RunRequest


@pytest.mark.parametrize(
    "command", ["run", "status", "results", "logs", "list", "cancel", "health", "schedule create", "schedule pause"]
)
def test_help(command: str) -> None:
    assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0


def test_a_request_is_made_of_what_was_said() -> None:
    request = request_of(["test_a.py"], "one", "not slow", chats_of(["telegram:-100"]), parallel=2)
    assert request.selection.tests == ("test_a.py",)
    assert (request.selection.keyword, request.selection.markers, request.parallel) == ("one", "not slow", 2)
    assert [(chat.platform, chat.chat) for chat in request.alerts] == [("telegram", "-100")]
    assert runs.summary_of(request) == "test_a.py -k one -m not slow"
    with pytest.raises(typer.BadParameter, match="--version"):
        request_of(["--version"], "", "", ())
    with pytest.raises(typer.BadParameter, match="PLATFORM:CHAT"):
        chats_of(["somebody"])


def test_owners_are_told_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_TELEGRAM_OWNERS", "11, 22")
    monkeypatch.setenv("JUNE_DISCORD_OWNERS", "33")
    told = [("telegram", "11"), ("telegram", "22"), ("discord", "@33")]
    assert [(chat.platform, chat.chat) for chat in owners_chats()] == told


def test_spans() -> None:
    assert [span_of(text) for text in ("30m", "6h", "1d", "")] == [
        timedelta(minutes=30),
        timedelta(hours=6),
        timedelta(days=1),
        None,
    ]
    for wrong in ("6", "h", "0m", "-1h", "6 weeks"):
        with pytest.raises(typer.BadParameter):
            span_of(wrong)


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


def test_junit_is_xml_whatever_tests_say() -> None:
    cases = [
        make_result("test_a.py::test_one[ä<&>]", Outcome.PASSED, 1.5),
        make_result("test_a.py::test_two", Outcome.FAILED, 0.5, 'a \x1b[31mred\x1b[0m "message" \x00 <&>'),
        make_result("test_a.py::test_three", Outcome.SKIPPED, 0, "not today"),
        make_result("sub/test_b.py", Outcome.CRASHED, 0, "killed by SIGSEGV"),
    ]
    root = ET.fromstring(junit("tests/1", cases))  # noqa: S314 - our own
    first, second = root
    assert (first.get("tests"), first.get("failures"), first.get("errors"), first.get("skipped")) == (
        "3",
        "1",
        "0",
        "1",
    )
    assert first.get("time") == "2.000"
    assert [test.get("name") for test in first] == ["test_one[ä<&>]", "test_two", "test_three"]
    assert first[1][0].tag == "failure"
    assert '"message"' in str(first[1][0].get("message"))
    assert (second.get("errors"), second[0].get("classname"), second[0][0].tag) == ("1", "sub.test_b", "error")


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


async def test_schedules_are_kept(dev_server: WorkflowEnvironment) -> None:
    client, name = dev_server.client, f"nightly-{uuid4().hex[:8]}"
    cron = {"cron": "0 3 * * *", "every": None, "time_zone": "Europe/Berlin"}
    await create_schedule(client, name, RunRequest(), **cron)  # type: ignore[arg-type]
    with pytest.raises(JuneError, match="already"):
        await create_schedule(client, name, RunRequest(), **cron)  # type: ignore[arg-type]
    made = await describe_schedule(client, name)
    assert made.next_at
    assert made.next_at.hour in {1, 2}, "3 o'clock in Berlin"
    await pause_schedule(client, name, resume=False)
    assert (await describe_schedule(client, name)).paused
    await pause_schedule(client, name, resume=True)
    assert not (await describe_schedule(client, name)).paused
    assert name in [one.id async for one in list_schedules(client)]
    await delete_schedule(client, name)
    with pytest.raises(JuneError, match="no schedule"):
        await delete_schedule(client, name)


async def test_a_schedule_that_the_server_does_not_understand_is_one_sentence(dev_server: WorkflowEnvironment) -> None:
    with pytest.raises(JuneError, match="does not take this schedule"):
        await create_schedule(dev_server.client, "wrong", RunRequest(), cron="at teatime", every=None, time_zone="UTC")


@pytest.mark.parametrize("arguments", [["create", "x"], ["create", "x", "--cron", "0 3 * * *", "--every", "1h"]])
def test_a_schedule_needs_one_time(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["schedule", *arguments]).exit_code == 2
