"""Record the histories that ``test_replay`` replays: ``python -m tests.workflows.record_histories SCENE...``.

A recorded history stays as it is: that it still replays is what shows that workflows which run on a server survive an
upgrade. So what workflows learn to do is recorded as a new scene, by its name; without a name all are recorded anew,
which is right only after a change that is meant to leave running workflows behind.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.error_codes import ErrorCode
from activities.testruns.results import Outcome
from activities.values import Address, AudioSource
from bots.access import count
from bots.intake import accept
from tests.support.testrun_world import Suite, forever, report, telling
from tests.support.waiting import until
from tests.support.world import HEARTBEAT_TIMEOUT, PLATFORM, World, refuse, running, signalling, wait_for
from workflows.access.contracts import AccessChange, AccessState, Arrival, Heard, Permission, UserLimits
from workflows.access.workflow import Access
from workflows.names import SEARCH_ATTRIBUTES, TESTS_QUEUE, WORKFLOW_QUEUE, access_id, conversation_id, voice_message_id
from workflows.testruns.contracts import RunRequest
from workflows.testruns.workflow import IntegrationRun
from workflows.voice.contracts import ConversationState, Exchange, Limits, Memory, SettingsChange, VoiceMessageRequest
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage

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


async def accompanied(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A turn that is shown while the model writes, at its second attempt."""
    world.behaviours["infer"] = signalling(("One.", "Wrong.", "Lost."), ("One.", "Right.", "End."))
    turn = await _turn(client, "accompanied", accompanied=True, user="ada", quoted="Is it so?")
    await turn.result()
    yield "turn_accompanied", turn


async def users(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A conversation of several people, whose speech is counted, with limits that are reached."""
    chat = await _Chat.open(client, turns_per_run=100, name="users")
    await count(client, PLATFORM, Arrival(user="ada"))
    limits = Limits(messages_per_minute=3)
    for message, user in (("1", "ada"), ("2", "bob"), ("3", "ada"), ("4", "ada"), ("5", "bob")):
        await chat.send(message, user=user, sender=user.title(), shared=True, accompanied=True, limits=limits)
    await chat.answered("3")
    await until(lambda: "rate-limited" in world.notices())
    yield "conversation_users_limits", chat.handle
    await chat.handle.terminate()
    await client.get_workflow_handle(access_id(PLATFORM)).terminate()


async def permissions(client: Client, _world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """Who may talk: said by an owner, reached by limits, and known to the next run."""
    platform, limits = "permissions", UserLimits(messages_per_minute=2, voice_seconds_per_day=10)
    access = client.get_workflow_handle_for(Access.run, access_id(platform))
    state = AccessState(platform=platform, events_per_run=8)
    await client.start_workflow(Access.run, state, id=access.id, task_queue=WORKFLOW_QUEUE)
    first = client.get_workflow_handle(access.id, run_id=(await access.describe()).run_id)
    for change in (
        AccessChange(id="bob", standing=Permission.ALLOWED),
        AccessChange(id="eve", standing=Permission.BLOCKED),
        AccessChange(id="bob"),
        AccessChange(draining=True),
    ):
        await access.execute_update(Access.change, change)
    for user in ("ada", "ada", "bob"):
        await count(client, platform, Arrival(user=user, limits=limits))
    await access.signal(Access.heard, Heard(user="ada", seconds=11))

    async def continued() -> bool:
        return (await access.describe()).run_id != first.run_id

    await until(continued)
    yield "access", first
    await access.terminate()


async def integration(client: Client, _world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """Runs of the integration tests: two modules at once, one of which fails and is told of; one cancelled."""
    suite = Suite()
    holds: dict[str, Any] = {"activities": [suite.collect, suite.run_module]}
    async with Worker(client, task_queue=TESTS_QUEUE, max_heartbeat_throttle_interval=HEARTBEAT_TIMEOUT, **holds):
        suite.plays["test_b.py"] = telling(report("test_b.py", Outcome.PASSED, Outcome.FAILED))
        told = Address(platform=PLATFORM, chat="owners", message="0")
        failed = await _run(client, "failed", RunRequest(parallel=2, alerts=(told,)))
        with suppress(WorkflowFailureError):
            await failed.result()
        yield "integration_failed", failed
        began = asyncio.Event()
        suite.plays["test_b.py"] = forever(began)
        cancelled = await _run(client, "cancelled", RunRequest())
        await began.wait()
        await cancelled.cancel()
        with suppress(WorkflowFailureError):
            await cancelled.result()
        yield "integration_cancelled", cancelled


async def _run(client: Client, name: str, request: RunRequest) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(IntegrationRun.run, request, id=f"tests/{name}", task_queue=WORKFLOW_QUEUE)


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

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self.handle = client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, name))

    @classmethod
    async def open(cls, client: Client, turns_per_run: int, name: str = "recorded") -> "_Chat":
        chat = cls(client, name)
        limits = Limits(messages_per_minute=1000)
        state = ConversationState(platform=PLATFORM, chat=name, limits=limits, turns_per_run=turns_per_run)
        await client.start_workflow(Conversation.run, state, id=chat.handle.id, task_queue=WORKFLOW_QUEUE)
        return chat

    async def send(self, message: str, **more: object) -> None:
        source = AudioSource(locator=f"message-{message}")
        given: dict[str, object] = {"platform": PLATFORM, "chat": self._name, "message": message, "audio": source}
        await accept(self._client, VoiceMessageRequest.model_validate(given | more))

    async def ask(self, message: str) -> None:
        await self.send(message)
        await self.answered(message)

    async def answered(self, message: str) -> None:
        """Wait for a turn's end, whatever it is, and until the conversation knows of it."""
        turn = self._client.get_workflow_handle(voice_message_id(PLATFORM, self._name, message))
        await until(lambda: _has_ended(turn))
        await asyncio.sleep(0.3)

    async def run(self) -> WorkflowHandle[Any, Any]:
        """Tell the current run."""
        return self._client.get_workflow_handle(self.handle.id, run_id=(await self.handle.describe()).run_id)

    async def next_run(self, last: WorkflowHandle[Any, Any]) -> None:
        """Wait until another run goes on."""

        async def continued() -> bool:
            return (await self.run()).run_id != last.run_id

        await until(continued)


async def _has_ended(turn: WorkflowHandle[Any, Any]) -> bool:
    with suppress(RPCError):  # its conversation starts it in a moment
        return (await turn.describe()).close_time is not None
    return False


SCENES: dict[str, Scene] = {
    scene.__name__: scene for scene in (turns, conversation, accompanied, users, permissions, integration)
}


def without_places(history: Any) -> Any:  # noqa: ANN401 - JSON
    """Take stack traces out of a history: they tell where somebody's files lie, and replay ignores them."""
    if isinstance(history, dict):
        return {name: without_places(value) for name, value in history.items() if name != "stackTrace"}
    return [without_places(value) for value in history] if isinstance(history, list) else history


async def record(client: Client, scenes: Iterable[Scene]) -> dict[str, WorkflowHistory]:
    """Play scenes; give the histories by name."""
    histories = {}
    for scene in scenes:
        async with running(client, World()) as world:
            async for name, handle in scene(client, world):
                histories[name] = await handle.fetch_history()
    return histories


async def _main(scenes: Iterable[Scene]) -> None:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), dev_server_log_level="error", search_attributes=list(SEARCH_ATTRIBUTES)
    )
    async with environment:
        address = environment.client.service_client.config.target_host
        client = await Client.connect(address, data_converter=pydantic_data_converter, identity="june")
        FOLDER.mkdir(exist_ok=True)
        for name, history in (await record(client, scenes)).items():
            recorded = json.dumps(without_places(history.to_json_dict()), indent=1)
            (FOLDER / f"{name}.json").write_text(recorded + "\n")


if __name__ == "__main__":
    asyncio.run(_main([SCENES[name] for name in sys.argv[1:] or SCENES]))
    # The SDK's threads may abort the interpreter while it ends (temporalio/sdk-python issue 300).
    os._exit(0)
