"""The command ``/code``, over real workflows: who may give tasks, one at a time, and what is told of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from activities.values import Address
from bots.access import Role
from bots.coding import CodingRules, gives_task
from bots.commands import Commands
from tests.bots.conftest import VOICES, Platform, said
from tests.support.coding_world import CodingWorld, coding
from tests.support.encryption import opened_history
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.access.contracts import AccessChange
from workflows.access.workflow import Access
from workflows.coding.contracts import MAX_TASK_CHARS, CodingRequest, ReportForm
from workflows.names import CHAT, CPU_QUEUE, GPU_QUEUE, PLATFORM, WORKFLOW_QUEUE, access_id, coding_id

TASK = "Write sums.py, which adds two numbers."
SECRET = "zanzibar"


@pytest.fixture
async def sandbox(platform: Platform, world: World) -> AsyncIterator[CodingWorld]:
    """A sandbox worker, in which preparing takes until the task is cancelled."""
    sandbox = CodingWorld(behaviours={"prepare": wait_for(asyncio.Event())})
    async with coding(platform.client, sandbox, without=(WORKFLOW_QUEUE, GPU_QUEUE, CPU_QUEUE)) as sandbox:
        yield sandbox
        query = f"Platform = '{platform.name}' AND WorkflowType = 'CodingTask' AND ExecutionStatus = 'Running'"
        async for task in platform.client.list_workflows(query):
            await platform.client.get_workflow_handle(task.id).terminate()


def task(platform: Platform, message: str, thread: str | None = None) -> WorkflowHandle[Any, Any]:
    return platform.client.get_workflow_handle(coding_id(platform.name, "1", message, thread))


async def request_of(platform: Platform, message: str, thread: str | None = None) -> CodingRequest:
    history = await opened_history(task(platform, message, thread))
    begun = history.events[0].workflow_execution_started_event_attributes
    (request,) = await platform.client.data_converter.decode(begun.input.payloads, [CodingRequest])
    assert isinstance(request, CodingRequest)
    return request


async def ended(platform: Platform, message: str) -> WorkflowExecutionStatus | None:
    async def has() -> bool:
        return (await task(platform, message).describe()).status is not WorkflowExecutionStatus.RUNNING

    await until(has)
    return (await task(platform, message).describe()).status


async def test_a_task_is_begun_once_by_a_message(platform: Platform, sandbox: CodingWorld) -> None:
    inbound: dict[str, Any] = {"message": "77", "thread": "5", "language": "de-AT", "sender": "Ada"}
    for _ in range(2):  # the second time while it runs
        assert await platform.command(f"code {TASK}", **inbound) == said("code-begun", "de")
    request = await request_of(platform, "77", "5")
    assert (request.task, request.folder, request.workspace) == (TASK, None, None)
    assert request.report_to == Address(platform=platform.name, chat="1", thread="5", message="77", language="de")
    assert request.report_form == ReportForm()
    await until(lambda: len(sandbox.asked("prepare")) == 1)
    (asked,) = sandbox.asked("prepare")
    assert (asked.owner.platform, asked.owner.chat, asked.owner.thread) == (platform.name, "1", "5")
    await task(platform, "77", "5").terminate()
    assert await platform.command(f"code {TASK}", **inbound) == said("code-begun", "de"), "and not begun again"
    runs = [run async for run in platform.client.list_workflows(f"WorkflowId = '{task(platform, '77', '5').id}'")]
    assert len(runs) == 1


async def test_what_the_chat_has_chosen_goes_along(platform: Platform, sandbox: CodingWorld) -> None:
    for chosen in ("voice off", "voice caption", "voice Thorsten", "language de"):
        await platform.command(chosen)
    await platform.command(f"code {TASK}", message="1")
    form = ReportForm(spoken=False, captioned=True, voice=VOICES[1], language="de")
    assert (await request_of(platform, "1")).report_form == form


async def test_a_chat_has_one_task_at_a_time(platform: Platform, sandbox: CodingWorld) -> None:
    assert await platform.command(f"code {TASK}", message="1") == said("code-begun")
    assert await platform.command(f"code {TASK}", message="2") == said("code-busy")
    assert await platform.command(f"code {TASK}", message="3", thread="5") == said("code-busy")
    other = platform.inbound("owner", chat="2", message="4")
    assert await platform.commands.run(other, Role.OWNER, "code", TASK) == said("code-begun")
    platform.commands = Commands(platform.client, VOICES, retention_hours=48)  # as after a restart

    async def listed() -> bool:
        return await platform.command("code status") != said("code-none")

    await until(listed)
    assert await platform.command(f"code {TASK}", message="5") == said("code-busy")


async def test_status_tells_of_the_task(platform: Platform, sandbox: CodingWorld) -> None:
    before = await platform.command("status")
    assert await platform.command("code status") == said("code-none")
    await platform.command(f"code {TASK}\nWith tests.", message="1")
    status = await platform.command("code Status")
    assert status.startswith(f"I'm working on “{TASK}”: step 0 of at most 40, ")
    assert (await platform.command("status")).startswith(f"{before}\nI'm working on “")
    assert (await platform.command("code estado", language="es")).startswith("Estoy con la tarea «")


@pytest.mark.parametrize(("word", "language"), [("stop", None), ("Abbrechen", "de"), ("arrêter", "fr")])
async def test_a_task_is_stopped(
    platform: Platform, world: World, sandbox: CodingWorld, word: str, language: str | None
) -> None:
    assert await platform.command(f"code {word}", language=language) == said("code-none", language)
    await platform.command(f"code {TASK}", message="1", language=language)
    await until(lambda: bool(sandbox.asked("prepare")))
    assert await platform.command("cancel") == said("nothing-to-cancel"), "that is for answers"
    assert await platform.command(f"code {word}", language=language) == said("code-stopping", language)
    assert await ended(platform, "1") is WorkflowExecutionStatus.CANCELED
    await until(lambda: world.notices() == ["code-cancelled"])
    assert world.asked("reply")[0].to.message == "1"
    assert await platform.command(f"code {TASK}", message="2") == said("code-begun")


async def test_a_chat_that_is_forgotten_names_its_tasks(platform: Platform, world: World) -> None:
    await platform.command("forget", thread="5")
    await until(lambda: bool(world.asked("forget")))
    assert coding_id(platform.name, "1", "77", "5") == f"{world.asked('forget')[0].tasks}5/77"


async def test_how_it_is_used_is_told(platform: Platform, sandbox: CodingWorld) -> None:
    assert await platform.command("code") == said("code-usage")
    assert await platform.command(f"code {'x' * (MAX_TASK_CHARS + 1)}") == said("code-too-long")
    assert not sandbox.calls


async def test_without_a_sandbox_worker_that_is_said(platform: Platform, sandbox: CodingWorld) -> None:
    async def is_served() -> bool:
        return False

    rules = CodingRules(is_served=is_served)
    platform.commands = Commands(platform.client, VOICES, retention_hours=48, coding=rules)
    assert await platform.command(f"code {TASK}") == said("code-no-sandbox")
    assert not sandbox.calls


async def test_it_is_for_owners_unless_the_settings_open_it(platform: Platform, sandbox: CodingWorld) -> None:
    assert await platform.command(f"code {TASK}", owner=False) == said("owners-only")
    assert "/code" not in await platform.command("help", owner=False)
    platform.commands = Commands(platform.client, VOICES, retention_hours=48, coding=CodingRules(for_all=True))
    assert "/code" in await platform.command("help", owner=False)
    assert "/allow" not in await platform.command("help", owner=False)
    assert await platform.command("allow bob", owner=False) == said("owners-only")
    assert await platform.command(f"code {TASK}", owner=False) == said("code-begun")


async def test_nothing_of_a_task_stands_where_anybody_can_read_it(platform: Platform, sandbox: CodingWorld) -> None:
    await platform.command(f"code Write {SECRET}.", message="1", sender="Ada")
    found = await task(platform, "1").describe()
    assert found.id == f"code/{platform.name}/1/1"
    assert (found.typed_search_attributes.get(PLATFORM), found.typed_search_attributes.get(CHAT)) == (
        platform.name,
        f"{platform.name}/1",
    )
    assert SECRET not in str(found.raw_description)
    assert await found.static_summary() == "Ada: /code"


async def test_a_task_counts_as_a_message_does(platform: Platform, sandbox: CodingWorld) -> None:
    await platform.receive(platform.inbound("owner", text=f"/code {TASK}", chat="1", message="1"))
    usage = await platform.client.get_workflow_handle_for(Access.run, access_id(platform.name)).query(Access.usage)
    assert usage["owner"].messages == 1
    for text in ("/code", "/code status", "/code stop"):
        await platform.receive(platform.inbound("owner", text=text, chat="1"))
    usage = await platform.client.get_workflow_handle_for(Access.run, access_id(platform.name)).query(Access.usage)
    assert usage["owner"].messages == 1


async def test_nothing_is_begun_while_june_takes_no_messages(platform: Platform, sandbox: CodingWorld) -> None:
    await platform.change(AccessChange(draining=True))
    assert await platform.receive(platform.inbound("owner", text=f"/code {TASK}", chat="1")) == said("draining")
    assert await platform.receive(platform.inbound("owner", text="/code status", chat="1")) == said("code-none")
    assert await platform.receive(platform.inbound("ada", text=f"/code {TASK}")) == said("owners-only")
    assert not sandbox.calls


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        (("code", TASK), True),
        (("code", "status of a build, as a program"), True),
        (("code", ""), False),
        (("code", " STOP "), False),
        (("code", "Statut"), False),
        (("cancel", "x"), False),
    ],
)
def test_what_gives_a_task(text: tuple[str, str], gives: bool) -> None:
    assert gives_task(*text) is gives


@given(st.text(max_size=50))
def test_any_argument_is_read(argument: str) -> None:
    assert gives_task("code", argument) in {True, False}
