"""What the page shows of turns: their place in line, their end however they end, and those of before."""

import asyncio
from dataclasses import replace

import pytest
from temporalio.testing import WorkflowEnvironment

from bots.web.app import Page
from bots.web.turns import Turns
from tests.support.page_client import chat_of, opened, told
from tests.support.waiting import until
from tests.support.world import World, wait_for


async def test_past_turns_are_there_again(page: Page, world: World) -> None:
    client, other = await opened(page), await opened(page)
    for number in (1, 2):
        await client.post(f"/api/messages?id=message-{number}", json={"text": f"hello {number}"})
        await told(client, f"message-{number}")

    async def turns() -> list[dict[str, object]]:
        return list((await client.get("/api/turns")).json()["turns"])

    async def both() -> bool:
        return len(await turns()) == 2

    await until(both)
    assert [(turn["transcript"], turn["done"]) for turn in await turns()] == [("hello 1", True), ("hello 2", True)]
    assert (await other.get("/api/turns")).json() == {"turns": []}


@pytest.mark.slow
async def test_a_message_in_line_is_told_its_place(page: Page, world: World) -> None:
    go_on = asyncio.Event()

    async def slowly(_request: object) -> None:
        await go_on.wait()

    world.behaviours["infer"] = slowly
    client = await opened(page)
    for number in range(5):
        await client.post(f"/api/messages?id=message-{number}", json={"text": "hello"})
    following = asyncio.create_task(told(client, "message-4"))
    await asyncio.sleep(1)
    go_on.set()
    views = await following
    assert (views[0]["stage"], views[0]["ahead"]) == ("line", 4)
    assert views[-1]["done"]


async def test_a_message_that_was_never_taken_has_an_end(
    page: Page, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.web.turns.GRACE_SECONDS", 0.3)
    client = await opened(page)
    (view,) = await told(client, "nobody-sent-this")
    assert (view["done"], view["notice"]) == (True, "I can't do that right now. Please try again in a moment.")


async def test_a_refusal_from_the_conversation_is_told(page: Page, dev_server: WorkflowEnvironment) -> None:
    turns = Turns(dev_server.client, lambda _, message: f"No room for {message}.", "http://ui", {})
    (view,) = await told(await opened(replace(page, turns=turns)), "message-1")
    assert (view["done"], view["notice"]) == (True, "No room for message-1.")


async def test_a_cancelled_turn_says_so(page: Page, world: World) -> None:
    world.behaviours["infer"] = wait_for(asyncio.Event())
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    following = asyncio.create_task(told(client, "message-1"))
    await asyncio.sleep(0.7)
    said = await client.post("/api/messages?id=message-2", json={"text": "/cancel"})
    last = (await following)[-1]
    assert (said.json()["said"], last["error"], last["notice"]) == ("Stopping 1.", "cancelled", "Cancelled.")


@pytest.mark.slow
async def test_a_terminated_turn_has_an_end(page: Page, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.web.turns.STILL_SECONDS", 0.5)

    async def never(_request: object) -> None:
        await asyncio.sleep(60)

    world.behaviours["infer"] = never
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    following = asyncio.create_task(told(client, "message-1"))
    await asyncio.sleep(1)
    handle = page.turns._client.get_workflow_handle(f"voice/web/{chat_of(page, client)}/message-1")
    await handle.terminate()
    assert (await following)[-1]["error"] == "internal"
