"""Coding tasks on the page: how each has ended, with its files to save, for the chat that gave it alone."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from activities.coding.present import Presented, PresentedFile, PresentRequest, SummarySentence
from bots.web.app import Page
from bots.web.tasks import Tasks, is_task
from tests.bots.conftest import said
from tests.support.coding_world import CodingWorld, coding, hold_step
from tests.support.page_client import View, browser, chat_of, opened, stream, turns
from tests.support.waiting import until
from workflows.names import coding_id

SOURCE = b"def add(one, other):\n    return one + other\n"


@pytest.fixture
async def sandbox(page: Page, dev_server: WorkflowEnvironment) -> AsyncIterator[CodingWorld]:
    """All that coding tasks need; each leaves a file."""

    async def present(request: PresentRequest) -> Presented:
        ref = await page.store.put(
            "web", request.owner.chat, SOURCE, mime="a/b", seconds=0, sample_rate=0, ending="file"
        )
        sentences = (SummarySentence(text=request.summary, language="en"),)
        return Presented(sentences=sentences, files=(PresentedFile(name="calc.py", file=ref),))

    world = CodingWorld(behaviours={"present": present})
    async with coding(dev_server.client, world, platform="web") as world:
        yield world


async def give(client: httpx.AsyncClient, message: str, task: str = "Make calc.py add up.") -> str:
    answer = await client.post(f"/api/messages?id={message}", json={"text": f"/code {task}"})
    outcome: str = answer.json()["said"]
    return outcome


async def shown(client: httpx.AsyncClient, message: str) -> View:
    """Wait for a task on an open page."""
    async with stream(client) as events:
        async for name, data in events:
            found = [data] if name == "turn" else data.get("turns", [])
            if views := [view for view in found if view["message"] == f"code-{message}"]:
                return views[0]
    raise AssertionError


async def test_a_task_is_shown_once_it_has_ended_and_again_later(page: Page, sandbox: CodingWorld) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    sandbox.behaviours["act"] = hold_step(1, began, go_on)
    client = await opened(page)
    waiting = asyncio.create_task(shown(client, "message-1"))
    assert await give(client, "message-1") == said("code-begun")
    await asyncio.wait_for(began.wait(), 20)
    assert await turns(client) == [], "the chat goes on meanwhile"
    later = asyncio.create_task(shown(client, "message-1"))  # a page that is opened in the middle of it
    go_on.set()
    view = await asyncio.wait_for(waiting, 30)
    assert (view["done"], view["transcript"], view["answer"]) == (True, "/code Make calc.py add up.", "It adds up now.")
    assert view["notice"].startswith("Done in ")
    assert (view["once"], view["reply"]["url"].startswith("api/audio/")) == (True, True)
    assert [file["name"] for file in view["files"]] == ["calc.py"]
    assert (await asyncio.wait_for(later, 30))["files"] == view["files"]

    async def listed() -> bool:
        return [turn["message"] for turn in await turns(client)] == ["code-message-1"]

    await until(listed)


async def test_files_are_saved_by_their_chat_and_by_nobody_else(page: Page, sandbox: CodingWorld) -> None:
    client, other = await opened(page), await opened(page)
    await give(client, "message-1")
    (file,) = (await asyncio.wait_for(shown(client, "message-1"), 30))["files"]
    answer = await client.get(f"/{file['url']}")
    assert answer.content == SOURCE
    assert answer.headers["content-disposition"] == 'attachment; filename="calc.py"'
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == (
        *("application/octet-stream", "nosniff"),
    )
    assert (await other.get(f"/{file['url']}")).status_code == 404
    assert (await browser(page).get(f"/{file['url']}")).status_code == 401
    digest = file["url"].partition("?")[0]
    for url in (digest, f"{digest}?name=a%22b", f"{digest}?name=", f"api/files/{'0' * 64}.file?name=a", "api/files/x"):
        assert (await client.get(f"/{url}")).status_code == 404


async def test_a_task_of_which_nobody_was_told_is_not_shown(
    page: Page, sandbox: CodingWorld, dev_server: WorkflowEnvironment
) -> None:
    began = asyncio.Event()
    sandbox.behaviours["act"] = hold_step(1, began, asyncio.Event())
    client = await opened(page)
    chat, tasks = chat_of(page, client), Tasks(dev_server.client, page.turns.link)
    await give(client, "message-1")
    await asyncio.wait_for(began.wait(), 20)

    async def under_way() -> bool:
        return await tasks.last(chat) == ([], ["code-message-1"])

    await until(under_way)
    task = dev_server.client.get_workflow_handle(coding_id("web", chat, "message-1"))
    await task.terminate()
    assert [view async for view in tasks.watch(chat, "code-message-1")] == []
    assert [view async for view in tasks.watch(chat, "code-nobody")] == []
    assert (await task.describe()).status is WorkflowExecutionStatus.TERMINATED

    async def ended() -> bool:
        return await tasks.last(chat) == ([], [])

    await until(ended)


def test_ids_tell_tasks_from_turns() -> None:
    assert (is_task("code-message-1"), is_task("message-1")) == (True, False)
