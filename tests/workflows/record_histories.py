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
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.benchmarks.attempts import AttemptOutcome
from activities.benchmarks.judge import Scored, ScoreRequest
from activities.coding.act import Acted, ActRequest
from activities.error_codes import CodingCode, ErrorCode
from activities.infer import InferRequest
from activities.reply import Delivered, ReplyRequest
from activities.testruns.results import Outcome
from activities.values import Address, AudioSource
from bots.access import count
from bots.intake import accept
from tests.support.benchmark_world import BenchmarkWorld, benchmarks, until_set
from tests.support.coding_world import STEPS, CodingWorld, Step, coding, hold_step
from tests.support.encryption import CONVERTER
from tests.support.testrun_world import Suite, forever, report, telling
from tests.support.waiting import until
from tests.support.world import HEARTBEAT_TIMEOUT, PLATFORM, World, refuse, running, signalling, wait_for
from workers.encryption.codec import data_converter
from workers.encryption.source import Keys
from workflows.access.contracts import AccessChange, AccessState, Arrival, Heard, Permission, UserLimits
from workflows.access.workflow import Access
from workflows.benchmarks.contracts import BenchmarkRequest
from workflows.benchmarks.workflow import Benchmark
from workflows.coding.contracts import CodingRequest
from workflows.coding.workflow import CodingTask
from workflows.names import SEARCH_ATTRIBUTES, TESTS_QUEUE, WORKFLOW_QUEUE, access_id, conversation_id, voice_message_id
from workflows.testruns.contracts import RunRequest
from workflows.testruns.workflow import IntegrationRun
from workflows.voice.contracts import (
    Again,
    ConversationState,
    Exchange,
    Limits,
    Memory,
    SettingsChange,
    Stop,
    VoiceMessageRequest,
)
from workflows.voice.conversation import Conversation
from workflows.voice.memory import WINDOW_TURNS
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


async def summaries(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A summary that is given up, as somebody speaks, and another that comes.

    ``conversation_summary_awaited`` is one that the end of a run waits for, as june 0.1.0 played it.
    """
    gate = asyncio.Event()

    async def infer(request: InferRequest) -> None:
        if request.background:
            await wait_for(gate)(request)

    world.behaviours["infer"] = infer
    window = tuple(Exchange(user=f"hello {number}", assistant="hi") for number in range(WINDOW_TURNS))
    for name in ("conversation_summary_given_up", "conversation_summary"):
        asked = len(world.asked("infer"))
        chat = await _Chat.open(client, turns_per_run=2, name=name, memory=Memory(window=window))
        first = await chat.run()
        await chat.ask("1")
        if name == "conversation_summary":
            gate.set()
            await until(lambda asked=asked: len(world.asked("infer")) == asked + 3)  # the summary, and its reading
            await asyncio.sleep(1)
        else:
            await until(lambda asked=asked: len(world.asked("infer")) == asked + 2)
        await chat.ask("2")
        await chat.next_run(first)
        yield name, first
        await chat.handle.terminate()


async def stopped(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """Answers that are stopped: by a message over one, by a person, and by the command; one that waited, too."""
    chat = await _Chat.open(client, turns_per_run=100, name="stopped")
    world.behaviours["infer"] = wait_for(asyncio.Event())

    async def under_way(message: str, **more: object) -> None:
        before = len(world.asked("infer"))
        await chat.send(message, **more)
        await until(lambda: len(world.asked("infer")) > before)

    await under_way("1")
    await under_way("2", interrupts={"message": "1", "heard_chars": 3})
    await chat.handle.execute_update(Conversation.stop, Stop(message="2"))
    await chat.answered("2")
    await under_way("3")
    for message in ("4", "5", "6", "7"):
        await chat.send(message)
    await chat.handle.execute_update(Conversation.cancel)
    await chat.answered("7")
    yield "conversation_stopped", chat.handle
    yield "turn_stopped", client.get_workflow_handle(voice_message_id(PLATFORM, "stopped", "1"))
    await chat.handle.terminate()


async def queue_notice(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """Six messages, whose wait is told once, and taken back."""
    chat = await _Chat.open(client, turns_per_run=100, name="queue")
    gate = asyncio.Event()
    world.behaviours["infer"] = wait_for(gate)
    for message in map(str, range(1, 7)):
        await chat.send(message, accompanied=True)
    await until(lambda: world.notices() == ["queued"])
    gate.set()
    await chat.answered("6")
    await until(lambda: bool(world.asked("retract")))
    yield "conversation_queue_notice", chat.handle
    await chat.handle.terminate()


async def counted(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A turn that is stopped, and one whose answer was being sent when it was to be."""
    chat = await _Chat.open(client, turns_per_run=100, name="counted")
    for stage, stopped in (("infer", 1), ("reply", 0)):
        gate = asyncio.Event()
        world.behaviours = {stage: wait_for(gate)}
        before = len(world.asked(stage))
        await chat.send(stage)
        await until(lambda stage=stage, before=before: len(world.asked(stage)) > before)
        cancelling = asyncio.create_task(chat.handle.execute_update(Conversation.cancel))
        await asyncio.sleep(0.5)
        gate.set()
        assert await cancelling == stopped
        await chat.answered(stage)
    yield "conversation_counted_stops", chat.handle
    await chat.handle.terminate()


async def uncertain(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """An answer that may not have arrived: told with the next message, and sent again."""
    chat = await _Chat.open(client, turns_per_run=100, name="uncertain")

    async def reply(asked: ReplyRequest) -> Delivered | None:
        return None if asked.notice else Delivered(text="uncertain", error=ErrorCode.REPLY_UNCERTAIN)

    world.behaviours["reply"] = reply
    await chat.ask("1")
    world.behaviours.clear()
    await chat.ask("2")
    await chat.handle.execute_update("again", Again(message="3"))
    await until(lambda: len(world.asked("reply")) == 4)
    await asyncio.sleep(0.3)
    yield "conversation_uncertain", chat.handle
    await chat.handle.terminate()


class _Chat:
    """One chat."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self.handle = client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, name))

    @classmethod
    async def open(
        cls, client: Client, turns_per_run: int, name: str = "recorded", memory: Memory | None = None
    ) -> "_Chat":
        chat = cls(client, name)
        limits = Limits(messages_per_minute=1000)
        state = ConversationState(
            platform=PLATFORM, chat=name, limits=limits, turns_per_run=turns_per_run, memory=memory or Memory()
        )
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


async def encrypted(client: Client, world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A turn that is answered at the second attempt, one that is refused, and their conversation."""
    chat = await _Chat.open(client, turns_per_run=100, name="encrypted")
    world.behaviours["infer"] = signalling(("One.", "Wrong.", "Lost."), ("One.", "Right.", "End."))
    await chat.ask("1")
    world.behaviours = {"fetch": refuse(ErrorCode.AUDIO_UNREADABLE)}
    await chat.ask("2")
    await chat.handle.execute_update(Conversation.configure, SettingsChange(language="de"))
    yield "conversation_encrypted", chat.handle
    for message, name in (("1", "turn_encrypted"), ("2", "turn_encrypted_refused")):
        yield name, client.get_workflow_handle(voice_message_id(PLATFORM, "encrypted", message))
    await chat.handle.terminate()


async def coding_tasks(client: Client, _world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A task that is done though a step is interrupted and somebody speaks; one at its limit; one that is cancelled."""
    async with coding(client, CodingWorld()) as world:
        began, go_on = asyncio.Event(), asyncio.Event()

        async def die(request: ActRequest) -> Acted | None:
            if request.step == 1:
                raise ApplicationError("the worker ends", type=CodingCode.SANDBOX_DIED.value, non_retryable=True)
            await hold_step(3, began, go_on)(request)
            return None

        world.behaviours["act"] = die
        task = await _coding_task(client, "finished")
        await began.wait()
        await task.signal(CodingTask.say, "Use integers.")
        await task.signal(CodingTask.pause)
        go_on.set()
        await asyncio.sleep(0.3)
        await task.signal(CodingTask.resume)
        await task.result()
        yield "coding_finished", task
        world.behaviours.clear()
        world.steps = [Step("run", "run make")]
        task = await _coding_task(client, "repeating")
        await task.result()
        yield "coding_repeating", task
        began, go_on = asyncio.Event(), asyncio.Event()
        world.behaviours["act"] = hold_step(2, began, go_on)
        world.steps = STEPS
        task = await _coding_task(client, "cancelled")
        await began.wait()
        await task.cancel()
        with suppress(WorkflowFailureError):
            await task.result()
        yield "coding_cancelled", task


async def _coding_task(client: Client, name: str) -> WorkflowHandle[Any, Any]:
    request = CodingRequest(task="Make calc.py add up.")
    return await client.start_workflow(CodingTask.run, request, id=f"code/{name}", task_queue=WORKFLOW_QUEUE)


async def benchmark_runs(client: Client, _world: World) -> AsyncIterator[tuple[str, WorkflowHandle[Any, Any]]]:
    """A run of three tasks, paused in between, one with a fault; one of the agent; one cancelled, which reports."""
    async with benchmarks(client, BenchmarkWorld()) as world:
        fault = Scored(outcome=AttemptOutcome.SANDBOX_ERROR, why="the sandbox has gone")

        async def fail_once(request: ScoreRequest) -> Scored | None:
            tried = sum(asked.task == request.task for asked in world.asked("score"))
            return fault if (request.task, tried) == ("Set/1", 1) else None

        go_on = asyncio.Event()
        world.behaviours = {"score": fail_once, "complete": until_set(go_on)}
        run = await _benchmark(client, "finished", first=3, parallel=2)
        await until(lambda: len(world.asked("complete")) == 2)
        await run.signal(Benchmark.pause)
        go_on.set()
        await asyncio.sleep(0.5)
        await run.signal(Benchmark.set_parallel, 1)
        await run.signal(Benchmark.resume)
        await run.result()
        yield "benchmark_finished", run
        yield "benchmark_attempt", client.get_workflow_handle(f"{run.id}/Set/1/0")
        run = await _benchmark(client, "agent", first=1, mode="agent")
        await run.result()
        yield "benchmark_attempt_of_agent", client.get_workflow_handle(f"{run.id}/Set/0/0")
        world.calls.clear()
        world.behaviours["complete"] = until_set(asyncio.Event())
        run = await _benchmark(client, "cancelled")
        await until(lambda: len(world.asked("complete")) == 1)
        await run.cancel()
        with suppress(WorkflowFailureError):
            await run.result()
        yield "benchmark_cancelled", run
        yield "benchmark_attempt_cancelled", client.get_workflow_handle(f"{run.id}/Set/0/0")


async def _benchmark(client: Client, name: str, **fields: object) -> WorkflowHandle[Any, Any]:
    request = BenchmarkRequest.model_validate({"data_set": "scripted", **fields})
    return await client.start_workflow(Benchmark.run, request, id=f"bench/{name}", task_queue=WORKFLOW_QUEUE)


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        *(turns, conversation, summaries, accompanied, users, permissions, integration),
        *(stopped, queue_notice, uncertain, counted, encrypted, coding_tasks, benchmark_runs),
    )
}
ENCRYPTED = (encrypted, coding_tasks)
"""Scenes that are recorded with the tests' keys; the others are in the clear, as june 0.1.0 wrote them."""


def without_places(history: Any) -> Any:  # noqa: ANN401 - JSON
    """Take stack traces out of a history: they tell where somebody's files lie, and replay ignores them."""
    if isinstance(history, dict):
        return {name: without_places(value) for name, value in history.items() if name != "stackTrace"}
    return [without_places(value) for value in history] if isinstance(history, list) else history


async def record(address: str, scenes: Iterable[Scene]) -> dict[str, WorkflowHistory]:
    """Play scenes; give the histories by name."""
    histories = {}
    for scene in scenes:
        converter = CONVERTER if scene in ENCRYPTED else data_converter(Keys.none())
        client = await Client.connect(address, data_converter=converter, identity="june")
        async with AsyncExitStack() as stack:
            world = World()
            if scene not in {coding_tasks, benchmark_runs}:  # which have workers of their own
                await stack.enter_async_context(running(client, world))
            async for name, handle in scene(client, world):
                histories[name] = await handle.fetch_history()
    return histories


async def _main(scenes: Iterable[Scene]) -> None:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), dev_server_log_level="error", search_attributes=list(SEARCH_ATTRIBUTES)
    )
    async with environment:
        address = environment.client.service_client.config.target_host
        FOLDER.mkdir(exist_ok=True)
        for name, history in (await record(address, scenes)).items():
            recorded = json.dumps(without_places(history.to_json_dict()), indent=1)
            (FOLDER / f"{name}.json").write_text(recorded + "\n")


if __name__ == "__main__":
    asyncio.run(_main([SCENES[name] for name in sys.argv[1:] or SCENES]))
    # The SDK's threads may abort the interpreter while it ends (temporalio/sdk-python issue 300).
    os._exit(0)
