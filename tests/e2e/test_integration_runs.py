"""Runs of integration tests on a running stack: watched, cut off, restarted, scheduled, and told of when they fail."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from activities.processes.workspace import TAG
from activities.testruns.selection import Selection
from activities.values import Address
from tests.support.discord_bot import bot_process
from tests.support.platforms import discord
from tests.support.shell import run
from tests.support.suites import write_suite
from tests.support.waiting import until
from workers.clients import testruns as runs
from workers.clients.schedules import create_schedule, delete_schedule, describe_schedule, list_schedules, schedule_id
from workers.local import supervisor
from workers.local.free_ports import own_ports, own_web
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, EmbeddedSettings, StorageSettings, WorkerSettings
from workflows.testruns.contracts import RunOutcome, RunRequest, RunStatus

pytestmark = pytest.mark.e2e

JUNE = (sys.executable, "-m", "workers.cli")
NOTE = """
import os, pathlib, time

FOLDER = pathlib.Path(os.environ["JUNE_HOME"])

def note(what):
    with (FOLDER / "ran.txt").open("a") as file:
        file.write(what + "\\n")
"""
FIRST = (
    NOTE
    + """
def test_first():
    note("first ended")
"""
)
HELD = (
    NOTE
    + """
def test_before():
    note("before")

def test_held():
    note("held begun")
    deadline = time.monotonic() + 60
    while not (FOLDER / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    note("held ended")
"""
)
LAST = (
    NOTE
    + """
def test_last():
    print("the last one speaks")
    note("last ended")
"""
)
FAILS = """
def test_fails():
    assert False, "as it must"
"""


class Runs:
    """Runs on a stack, and what its tests noted."""

    def __init__(self, stack: Embedded) -> None:
        self.stack = stack
        self.client = stack.client

    @property
    def notes(self) -> list[str]:
        """What tests did, in order."""
        with suppress(FileNotFoundError):
            return (self.stack.home / "ran.txt").read_text().splitlines()
        return []

    def go(self) -> None:
        """Let the test that is held come to its end."""
        (self.stack.home / "go").touch()

    def clear(self) -> None:
        for name in ("go", "ran.txt"):
            (self.stack.home / name).unlink(missing_ok=True)

    async def start(self, *tests: str, **fields: object) -> runs.Handle:
        request = RunRequest.model_validate({"selection": Selection(tests=tests)} | fields)
        return await runs.find_run(self.client, await runs.start_run(self.client, request))

    async def held(self) -> None:
        """Wait until the test that waits is under way."""

        async def begun() -> bool:
            return "held begun" in self.notes

        await until(begun)

    async def known_to_server(self, handle: runs.Handle, test: str) -> None:
        """Wait until the server has a heartbeat that tells of a test, for the next attempt."""

        async def beaten() -> bool:
            described = await handle.describe()
            pending = described.raw_description.pending_activities
            beats = [await described.data_converter.decode(one.heartbeat_details.payloads) for one in pending]
            return test in str(beats)

        await until(beaten)

    def processes(self) -> list[int]:
        """List processes of tests of this stack."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(TAG, "").startswith(str(self.stack.home)):
                    found.append(process.pid)
        return found


async def ended(handle: runs.Handle) -> RunStatus:
    async with asyncio.timeout(120):
        await runs.ended(handle)
        return await runs.status_of(handle)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> StorageSettings:
    home = tmp_path_factory.mktemp("runs").resolve()
    return StorageSettings(home=home, file_roots=(PROJECT, home))


@pytest.fixture(scope="module")
def ports() -> EmbeddedSettings:
    return own_ports()


async def begun(storage: StorageSettings, ports: EmbeddedSettings) -> Embedded:
    """Start a stack with what runs tests, and the page, which has the codec server."""
    work, optional = WorkerSettings(engines="none"), [Role.WEB, Role.TESTS]
    return await Embedded(storage, ports, work=work, web=own_web(), optional=optional).__aenter__()


@pytest.fixture(scope="module")
async def stack(storage: StorageSettings, ports: EmbeddedSettings) -> AsyncIterator[list[Embedded]]:
    """The stack that runs at the moment, which a test may replace by another in the same home."""
    root = write_suite(storage.home / "suite", test_a=FIRST, test_b=HELD, test_c=LAST, test_fails=FAILS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUNE_TESTS_ROOT", str(root))
        patch.setattr(supervisor, "STABLE_SECONDS", 0)
        now = [await begun(storage, ports)]
        yield now
        await now[0].__aexit__(None, None, None)


@pytest.fixture
def on(stack: list[Embedded]) -> Runs:
    found = Runs(stack[0])
    found.clear()
    return found


async def temporal(on: Runs, *arguments: str) -> str:
    """Run Temporal's own command, which reads through june's codec server."""
    program = Path(sys.prefix) / "bin" / "temporal"
    there = ("--address", on.stack.address, "--codec-endpoint", f"{on.stack.ui_url}/codec", "-o", "json")
    process = await asyncio.create_subprocess_exec(str(program), *arguments, *there, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return output.decode()


async def june(on: Runs, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run june's command."""
    variables |= {"JUNE_HOME": str(on.stack.home), "TEMPORAL_ADDRESS": on.stack.address}
    process = await asyncio.create_subprocess_exec(
        *(*JUNE, "tests", *arguments), env=os.environ | variables, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, output.decode()


async def test_a_run_by_temporals_own_command_is_watched_and_outlives_a_restart(
    on: Runs, stack: list[Embedded], storage: StorageSettings, ports: EmbeddedSettings
) -> None:
    started = ("--type", "TestRun", "--task-queue", "june", "--workflow-id", "tests/by-hand")
    selection = json.dumps({"selection": {"keyword": "not fails"}})
    await temporal(on, "workflow", "start", *started, "--input", selection)
    await on.held()

    async def shown() -> bool:
        answer = json.loads(await temporal(on, "workflow", "query", "-w", "tests/by-hand", "--type", "status"))
        (status,) = answer["queryResult"]
        return bool(status["current"]) and status["current"][0]["test"] == "test_b.py::test_held"

    await until(shown)
    on.go()
    handle = await runs.find_run(on.client, "by-hand")
    status = await ended(handle)
    assert (status.outcome, status.tests, status.modules) == (RunOutcome.PASSED, 4, 3)

    await on.stack.__aexit__(None, None, None)
    stack[0] = await begun(storage, ports)
    again = Runs(stack[0])
    handle = await runs.find_run(again.client)
    assert handle.id == "tests/by-hand"
    assert await runs.status_of(handle) == status
    assert [one.outcome.value for one in await runs.results_of(handle)] == ["passed"] * 4
    _, log = await june(again, "logs", "--module", "test_c.py")
    assert "the last one speaks" in log
    (listed,) = [run async for run in runs.list_runs(again.client, "Outcome = 'passed'")]
    assert listed.report
    assert listed.report.tests == 4


async def test_kill_9_of_the_worker_costs_only_the_module_under_way(on: Runs) -> None:
    handle = await on.start("test_a.py", "test_b.py", "test_c.py")
    await on.held()
    await on.known_to_server(handle, "test_b.py::test_held")
    pid = on.stack.pids["worker-tests"]
    offspring = psutil.Process(pid).children(recursive=True)
    assert offspring
    os.kill(pid, signal.SIGKILL)

    async def replaced() -> bool:
        return on.stack.pids.get("worker-tests", pid) != pid and await on.stack.ready()

    await until(replaced)
    assert not any(process.is_running() and process.status() != "zombie" for process in offspring)
    on.go()
    status = await ended(handle)
    assert (status.outcome, status.tests_ended) == (RunOutcome.PASSED, 4)
    assert status.notes == (
        "test_b.py: attempt 1 was lost with its worker after 1 of its tests, in test_b.py::test_held",
    )
    assert on.notes == ["first ended", "before", "held begun", "before", "held begun", "held ended", "last ended"]


async def test_a_run_goes_on_after_everything_was_stopped_amid_it(
    on: Runs, stack: list[Embedded], storage: StorageSettings, ports: EmbeddedSettings
) -> None:
    handle = await on.start("test_a.py", "test_b.py", "test_c.py")
    await on.held()
    await on.stack.__aexit__(None, None, None)
    assert on.processes() == []
    stack[0] = await begun(storage, ports)
    again = Runs(stack[0])
    again.go()
    status = await ended(await runs.find_run(again.client, handle.id))
    assert (status.outcome, status.tests_ended) == (RunOutcome.PASSED, 4)
    assert again.notes == ["first ended", "before", "held begun", "before", "held begun", "held ended", "last ended"]


async def test_cancel_leaves_no_process_behind(on: Runs) -> None:
    handle = await on.start("test_a.py", "test_b.py", "test_c.py")
    await on.held()
    assert on.processes()
    code, output = await june(on, "cancel", handle.id, "--json")
    assert code == 0
    assert json.loads(output)["outcome"] == "cancelled"
    assert on.processes() == []
    results = {one.node: one.outcome.value for one in await runs.results_of(handle)}
    assert results == {
        "test_a.py::test_first": "passed",
        "test_b.py::test_before": "passed",
        "test_b.py::test_held": "cancelled",
    }
    assert (await handle.describe()).status.name == "CANCELED"  # type: ignore[union-attr]


async def test_the_command_exits_as_the_run_did(on: Runs, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    code, output = await june(on, "run", "test_a.py", "test_fails.py", "--junit", str(file), "--json")
    assert code == 1
    assert json.loads(output)["counts"] == {"passed": 1, "failed": 1}
    suites = {suite.get("name"): suite.attrib for suite in ET.fromstring(file.read_text())}  # noqa: S314 - our own
    assert suites["test_fails.py"]["failures"] == "1"
    assert (await june(on, "run", "test_a.py", "--wait"))[0] == 0
    assert (await june(on, "run", "test_gone.py", "--wait"))[0] == 3
    assert (await june(on, "run", "--wait", "--", "--version"))[0] == 2
    code, output = await june(on, "results", "--failed")
    assert code == 0
    code, output = await june(on, "health", "--json")
    assert code == 0
    assert json.loads(output)["workers"] >= 1


async def test_a_schedule_fires_and_a_failure_is_told_once(on: Runs) -> None:
    chat = Address(platform="file", chat="owners", message="0")
    request = RunRequest(selection=Selection(tests=("test_fails.py",)), alerts=(chat,))
    await create_schedule(on.client, "often", request, cron="", every=timedelta(seconds=2), time_zone="UTC")

    async def failed() -> list[runs.ListedRun]:
        return [run async for run in runs.list_runs(on.client, "Outcome = 'failed'") if run.schedule]

    async def happened() -> bool:
        return bool(await failed())

    await until(happened)
    (schedule,) = [one async for one in list_schedules(on.client)]
    assert schedule.id == "often"
    await delete_schedule(on.client, "often")

    async def over() -> bool:
        return not await runs.running_runs(on.client)

    await until(over)
    scheduled = await failed()
    assert all(run.schedule == "tests/often" for run in scheduled)
    outbox = list((on.stack.home / "outbox" / "owners").glob("*.txt"))
    assert len(outbox) == len(scheduled), "one message a run"
    text = outbox[0].read_text()
    assert "1 of 1" in text
    assert "test_fails.py::test_fails" in text


async def test_an_owner_on_discord_is_told_in_private_once(on: Runs) -> None:
    async with discord.running() as fake:
        owner = fake.world.person("Olga")
        owners = {"JUNE_DISCORD_OWNERS": owner}
        code, output = await june(on, "schedule", "create", "daily", "test_fails.py", "--every", "1d", **owners)
        assert (code, f"discord:@{owner} is told" in output) == (0, True)
        fake.faults.append(discord.Fault("POST", "/messages$", 502, after=True))
        async with bot_process(on.stack, fake, on.stack.home / "bot.log", **owners):
            await on.client.get_schedule_handle(schedule_id("daily")).trigger()
            status = await ended(await runs.find_run(on.client, await started(on, "daily")))
        await delete_schedule(on.client, "daily")
    assert status.notes == (f"alert to discord:@{owner}: sent",)
    (told,) = fake.sent(fake.world.private(owner))
    assert "test_fails.py::test_fails" in told["content"].replace("\\", ""), "with its marks escaped"
    assert [fault.times for fault in fake.faults] == [0]


async def started(on: Runs, schedule: str) -> str:
    """Wait until a schedule has started a run; name it."""

    async def begun() -> bool:
        return bool((await describe_schedule(on.client, schedule)).runs)

    await until(begun)
    return (await describe_schedule(on.client, schedule)).runs[-1]


async def test_the_commands_of_the_page_work(on: Runs, tmp_path: Path) -> None:
    on.go()
    (tmp_path / ".venv").symlink_to(sys.prefix)
    blocks = re.findall(r"^```sh\n(.*?)^```", (PROJECT / "docs" / "tests.md").read_text(), re.MULTILINE | re.DOTALL)
    commands = "".join(blocks).replace("\\\n", " ").replace("tests/by-hand", "tests/of-the-page").splitlines()
    variables = {"JUNE_HOME": str(on.stack.home), "TEMPORAL_ADDRESS": on.stack.address}
    for command in commands:
        code, output = await run(command, tmp_path, variables)
        # A run's status ends as the run does, and some of these tests fail on purpose.
        assert code == 0 or (" status " in command and code == 1), f"{command}\n{output}"
    assert len(commands) >= 20
    await delete_schedule(on.client, "nightly")
