"""Record the histories that ``test_replay`` replays: ``python -m tests.workflows.record_histories``.

Run it after a change of the workflows that is meant to change what they do, and after nothing else: that the recorded
histories still replay is what shows that workflows which run on a server survive an upgrade.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.errors import ErrorCode
from bots.intake import accept
from tests.workflows.world import PLATFORM, World, refuse, running, signalling, until, wait_for
from workflows.contracts import (
    SEARCH_ATTRIBUTES,
    WORKFLOW_QUEUE,
    AudioSource,
    ConversationState,
    Exchange,
    Limits,
    Memory,
    SettingsChange,
    VoiceMessageRequest,
    conversation_id,
    voice_message_id,
)
from workflows.conversation import Conversation
from workflows.voice_message import VoiceMessage

FOLDER = Path(__file__).resolve().parent.parent / "histories"
TEMPORAL = Path(sys.prefix) / "bin" / "temporal"

Scene = Callable[[Client, World], AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]]
"""Plays something, and names each workflow whose history is to be kept."""


async def turns(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A message each: answered, answered at the second attempt, refused, held back, cancelled."""
    plain = await _turn(client, "plain")
    await plain.result()
    yield "turn", plain
    world.behaviours["infer"] = signalling(("One.", "Wrong.", "Lost."), ("One.", "Right.", "End."))
    again = await _turn(client, "again")
    await again.result()
    yield "turn_second_attempt", again
    world.behaviours = {"fetch": refuse(ErrorCode.AUDIO_UNREADABLE)}
    refused = await _turn(client, "refused")
    await refused.result()
    yield "turn_refused", refused
    world.behaviours = {}
    held = await _turn(client, "held", memory=None)
    await until(lambda: len(world.asked("transcribe")) == 3)
    await held.signal(VoiceMessage.proceed, Memory(window=(Exchange(user="before", assistant="yes"),)))
    await held.result()
    yield "turn_held_back", held
    yield "turn_cancelled", await _cancelled_turn(client, world)


async def _cancelled_turn(client: Client, world: World) -> WorkflowHandle[Any, Any]:
    before = len(world.asked("infer"))
    world.behaviours["infer"] = wait_for(asyncio.Event())
    cancelled = await _turn(client, "cancelled")
    await until(lambda: len(world.asked("infer")) > before)
    await cancelled.cancel()
    with suppress(WorkflowFailureError):
        await cancelled.result()
    return cancelled


async def conversation(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A queue, a reset and a new run; settings and a cancelled turn; all forgotten in a third run."""
    chat = await _Chat.open(client, turns_per_run=4)
    gate = asyncio.Event()
    world.behaviours["infer"] = wait_for(gate)
    for message in ("1", "2", "3"):
        await chat.send(message)
    await until(lambda: len(world.notices()) == 2)
    gate.set()
    await chat.answered("3")
    await chat.handle.execute_update(Conversation.reset)
    first = await chat.run()
    await chat.ask("4")
    await chat.next_run(first)
    yield "conversation_queue_reset", first

    await chat.ask("5")
    await chat.handle.execute_update(Conversation.configure, SettingsChange(language="de"))
    world.behaviours["infer"] = wait_for(asyncio.Event())
    before = len(world.asked("infer"))
    await chat.send("6")
    await until(lambda: len(world.asked("infer")) > before)
    await chat.handle.execute_update(Conversation.cancel)
    await chat.answered("6")
    second = await chat.run()
    await chat.handle.execute_update(Conversation.forget)
    await chat.next_run(second)
    yield "conversation_settings_cancel", second

    world.behaviours.clear()
    await until(lambda: bool(world.asked("forget")))
    await chat.ask("7")
    yield "conversation_forget", await chat.run()
    await chat.handle.terminate()


async def _turn(client: Client, message: str, **changes: object) -> WorkflowHandle[Any, Any]:
    given: dict[str, object] = {
        "platform": PLATFORM,
        "chat": "1",
        "message": message,
        "audio": AudioSource(locator="hello"),
    }
    request = VoiceMessageRequest.model_validate(given | changes)
    return await client.start_workflow(VoiceMessage.run, request, id=f"turn-{message}", task_queue=WORKFLOW_QUEUE)


class _Chat:
    """One chat."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.handle = client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, "recorded"))

    @classmethod
    async def open(cls, client: Client, turns_per_run: int) -> "_Chat":
        chat = cls(client)
        limits = Limits(messages_per_minute=1000)
        state = ConversationState(platform=PLATFORM, chat="recorded", limits=limits, turns_per_run=turns_per_run)
        await client.start_workflow(Conversation.run, state, id=chat.handle.id, task_queue=WORKFLOW_QUEUE)
        return chat

    async def send(self, message: str) -> None:
        source = AudioSource(locator=f"message-{message}")
        request = VoiceMessageRequest(platform=PLATFORM, chat="recorded", message=message, audio=source)
        await accept(self._client, request)

    async def ask(self, message: str) -> None:
        await self.send(message)
        await self.answered(message)

    async def answered(self, message: str) -> None:
        """Wait for a turn's end, whatever it is, and until the conversation knows of it."""
        turn = self._client.get_workflow_handle(voice_message_id(PLATFORM, "recorded", message))
        async with asyncio.timeout(15):
            while not await _has_ended(turn):  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)

    async def run(self) -> WorkflowHandle[Any, Any]:
        """Tell the current run."""
        return self._client.get_workflow_handle(self.handle.id, run_id=(await self.handle.describe()).run_id)

    async def next_run(self, last: WorkflowHandle[Any, Any]) -> None:
        """Wait until another run goes on."""
        async with asyncio.timeout(15):
            while (await self.run()).run_id == last.run_id:  # noqa: ASYNC110 - it happens on the server
                await asyncio.sleep(0.02)


async def _has_ended(turn: WorkflowHandle[Any, Any]) -> bool:
    with suppress(RPCError):  # its conversation starts it in a moment
        return (await turn.describe()).close_time is not None
    return False


SCENES: tuple[Scene, ...] = (turns, conversation)


def without_places(history: Any) -> Any:  # noqa: ANN401 - JSON
    """Take stack traces out of a history: they tell where somebody's files lie, and replay ignores them."""
    if isinstance(history, dict):
        return {name: without_places(value) for name, value in history.items() if name != "stackTrace"}
    return [without_places(value) for value in history] if isinstance(history, list) else history


async def record(client: Client) -> dict[str, WorkflowHistory]:
    """Play all scenes; give the histories by name."""
    histories = {}
    for scene in SCENES:
        async with running(client, World()) as world:
            async for name, handle in scene(client, world):
                histories[name] = await handle.fetch_history()
    return histories


async def _main() -> None:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), dev_server_log_level="error", search_attributes=list(SEARCH_ATTRIBUTES)
    )
    async with environment:
        address = environment.client.service_client.config.target_host
        client = await Client.connect(address, data_converter=pydantic_data_converter, identity="june")
        FOLDER.mkdir(exist_ok=True)
        for name, history in (await record(client)).items():
            recorded = json.dumps(without_places(history.to_json_dict()), indent=1)
            (FOLDER / f"{name}.json").write_text(recorded + "\n")


if __name__ == "__main__":
    asyncio.run(_main())
    # The SDK's threads may abort the interpreter while it ends (temporalio/sdk-python issue 300).
    os._exit(0)
