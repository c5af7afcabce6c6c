"""What the page shows of turns: their place in line, their end however they end, and those of before."""

import asyncio

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.infer import Inference, Thinking
from bots.web.app import Page
from bots.web.turns import Turns
from tests.support.page_client import chat_of, opened, stream, told, turns
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.names import voice_message_id
from workflows.voice.voice_message import VoiceMessage


async def test_past_turns_are_there_again(page: Page, world: World) -> None:
    client, other = await opened(page), await opened(page)
    for number in (1, 2):
        await client.post(f"/api/messages?id=message-{number}", json={"text": f"hello {number}"})
        await told(client, f"message-{number}")

    async def both() -> bool:
        return [turn["done"] for turn in await turns(client)] == [True, True]

    await until(both)
    assert [turn["transcript"] for turn in await turns(client)] == ["hello 1", "hello 2"]
    assert await turns(other) == []


@pytest.mark.slow
async def test_a_message_in_line_is_told_its_place(page: Page, world: World) -> None:
    go_on = asyncio.Event()

    async def slowly(_request: object) -> None:
        await go_on.wait()

    world.behaviours["infer"] = slowly
    client = await opened(page)
    for number in range(5):
        await client.post(f"/api/messages?id=message-{number}", json={"text": "hello"})
    (first,) = [view for view in await turns(client) if view["message"] == "message-4"]
    assert (first["stage"], first["ahead"]) == ("line", 4)
    go_on.set()
    views = await told(client, "message-4")
    assert views[-1]["done"]


async def test_a_message_that_was_never_taken_has_an_end(
    page: Page, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.web.turns.GRACE_SECONDS", 0.3)
    (view,) = [view async for view in page.turns.watch("0" * 32, "nobody-sent-this")]
    assert (view.done, view.notice) == (True, None)
    assert view.said_in("en").notice == "I can't do that right now. Please try again in a moment."


async def test_a_refusal_from_the_conversation_is_told(page: Page, dev_server: WorkflowEnvironment) -> None:
    turns = Turns(dev_server.client, lambda _, message: f"No room for {message}.", "http://ui", {})
    (view,) = [view async for view in turns.watch("0" * 32, "message-1")]
    assert (view.done, view.notice) == (True, "No room for message-1.")


async def test_a_cancelled_turn_says_so(page: Page, world: World) -> None:
    world.behaviours["infer"] = wait_for(asyncio.Event())
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    following = asyncio.create_task(told(client, "message-1"))
    await asyncio.sleep(0.7)
    said = await client.post("/api/messages?id=message-2", json={"text": "/cancel"})
    last = (await following)[-1]
    stopped = "I've stopped my answer."
    assert (said.json()["said"], last["stopped"], last["error"], last["notice"]) == (stopped, True, None, None)


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


async def test_that_the_model_thinks_is_a_stage_of_its_own(
    page: Page, world: World, dev_server: WorkflowEnvironment
) -> None:
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    await until(lambda: bool(world.asked("infer")))
    turn = dev_server.client.get_workflow_handle(voice_message_id("web", chat_of(page, client), "message-1"))
    await turn.signal(VoiceMessage.thinking, Thinking(attempt=1))
    async with stream(client) as events:
        async for _, view in events:
            if view.get("stage") == "think":
                break
    go_on.set()
    assert (await told(client, "message-1"))[-1]["stage"] == "done"


async def test_an_answer_that_was_cut_says_so(page: Page, world: World) -> None:
    async def cut(_asked: object) -> Inference:
        return Inference(answer="One. Two …", sentences=("One.",), model="m", finish_reason="length", cut=True)

    world.behaviours["infer"] = cut
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    last = (await told(client, "message-1"))[-1]
    assert last["answer"] == "One. Two …"
    assert str(last["notice"]).startswith("That's as much as I can say at once.")
    assert last["error"] is None


async def test_a_turn_that_has_nothing_to_show_for_long_is_told_of(
    page: Page, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.web.turns.LATE_SECONDS", 0.3)
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    async with stream(client) as events:
        async for _, view in events:
            if view.get("stage") == "late":
                break
    go_on.set()
    views = await told(client, "message-1")
    assert (views[-1]["stage"], bool(views[-1]["answer"])) == ("done", True)
