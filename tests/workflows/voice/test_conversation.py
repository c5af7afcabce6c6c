"""A conversation, with activities replaced by name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.error_codes import ErrorCode
from activities.infer import Inference, InferRequest
from activities.values import AudioSource
from bots.intake import accept
from tests.support.waiting import until
from tests.support.world import PLATFORM, World, refuse, running, wait_for
from workflows.names import WORKFLOW_QUEUE, conversation_id, voice_message_id
from workflows.voice.background import SUMMARY_TOKENS
from workflows.voice.backlog import MAX_PRETRANSCRIBED
from workflows.voice.contracts import (
    ConversationState,
    Exchange,
    Limits,
    Memory,
    ReplyMode,
    SettingsChange,
    VoiceMessageRequest,
    VoiceMessageResult,
)
from workflows.voice.conversation import Conversation
from workflows.voice.memory import WINDOW_TURNS
from workflows.voice.voice_message import VoiceMessage


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


class Chat:
    """A chat as a bot sees it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.name = uuid4().hex[:12]
        self.sent = 0

    async def open(self, state: ConversationState) -> None:
        """Start the conversation with a state of its own."""
        await self.client.start_workflow(
            Conversation.run, state, id=conversation_id(PLATFORM, self.name), task_queue=WORKFLOW_QUEUE
        )

    async def send(self, said: str, message: str | None = None, *, spoken: bool = False) -> str:
        """Send a message; a spoken one costs four activities more. Its audio's name is what is heard."""
        self.sent += 1
        message = message or str(self.sent)
        how = {"audio": AudioSource(locator=said)} if spoken else {"text": said}
        await accept(self.client, VoiceMessageRequest(platform=PLATFORM, chat=self.name, message=message, **how))
        return message

    async def result(self, message: str) -> VoiceMessageResult:
        """Wait for the end of a message's workflow, which the conversation starts when it gets to it."""
        handle = self.turn(message)
        async with asyncio.timeout(20):
            while True:
                with suppress(RPCError):
                    return await handle.result()
                await asyncio.sleep(0.02)

    async def ask(self, said: str, *, spoken: bool = False) -> VoiceMessageResult:
        return await self.result(await self.send(said, spoken=spoken))

    def turn(self, message: str) -> WorkflowHandle[VoiceMessage, VoiceMessageResult]:
        return self.client.get_workflow_handle_for(VoiceMessage.run, voice_message_id(PLATFORM, self.name, message))

    @property
    def handle(self) -> WorkflowHandle[Conversation, None]:
        return self.client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, self.name))


@pytest.fixture
async def chat(client: Client) -> AsyncIterator[Chat]:
    chat = Chat(client)
    yield chat
    with suppress(RPCError):
        await chat.handle.terminate()


def contents(request: InferRequest) -> list[str]:
    return [message.content for message in request.messages[1:]]


async def test_the_second_prompt_holds_the_first_turn(world: World, chat: Chat) -> None:
    await chat.ask("I am Ada")
    await chat.ask("who am I")
    first, second = world.asked("infer")
    assert contents(first) == ["I am Ada"]
    assert contents(second) == ["I am Ada", "You said I am Ada. That is all.", "who am I"]
    async with asyncio.timeout(15):  # the turn is remembered a moment after it has ended
        while len(window := (await chat.handle.query(Conversation.history)).window) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert [exchange.user for exchange in window] == ["I am Ada", "who am I"]


async def test_a_message_is_safe_with_no_worker_up(time_skipping: WorkflowEnvironment) -> None:
    chat = Chat(time_skipping.client)  # in the other namespace: this module's workers see nothing of it
    message = await chat.send("hello")
    async with running(time_skipping.client, World()) as world:
        assert (await chat.result(message)).status == "answered"
        assert world.answers() == ["You said hello. That is all."]
    await chat.handle.terminate()


async def test_a_message_delivered_twice_is_answered_once(world: World, chat: Chat) -> None:
    await chat.send("hello", "7")
    await chat.send("hello", "7")
    await chat.result("7")
    await chat.send("hello", "7")
    await chat.ask("other")
    assert [a for a in world.answers() if "hello" in a] == ["You said hello. That is all."]


async def test_a_duplicate_is_told_by_its_workflow_when_the_conversation_is_new(world: World, chat: Chat) -> None:
    await chat.send("hello", "7")
    await chat.result("7")
    await chat.handle.terminate()
    await chat.send("hello", "7")
    await chat.ask("other")
    assert len(world.answers()) == 2


async def test_messages_are_transcribed_at_once_and_answered_in_order(world: World, chat: Chat) -> None:
    gate = asyncio.Event()
    world.behaviours["infer"] = wait_for(gate)
    for said in ("first", "second", "third"):
        await chat.send(said, spoken=True)
    await until(lambda: len(world.asked("transcribe")) == 3 and bool(world.asked("infer")))
    assert len(world.asked("infer")) == 1
    queue = await chat.handle.query(Conversation.queue)
    assert [item.message for item in queue] == ["1", "2", "3"]
    await until(lambda: len(world.notices()) == 2)
    gate.set()
    await chat.result("3")
    assert [contents(r)[-1] for r in world.asked("infer")] == ["first", "second", "third"]
    assert len(contents(world.asked("infer")[2])) == 5, "the third prompt holds both turns before it"
    assert world.notices() == ["queued", "queued"]
    positions = [r.notice.params["position"] for r in world.asked("reply") if r.notice]
    assert sorted(positions) == [2, 3]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "limits", "most_notices"),
    [
        ("rate-limited", Limits(waiting=20, messages_per_minute=6), 1),
        # Said again once a message was taken after all, as the first are when their turns begin.
        ("queue-full", Limits(waiting=2, messages_per_minute=1000), 1 + 1 + MAX_PRETRANSCRIBED),
    ],
)
async def test_a_flood_is_refused_once_and_loses_nothing_accepted(
    world: World, chat: Chat, key: str, limits: Limits, most_notices: int
) -> None:
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name, limits=limits))
    gate = asyncio.Event()
    world.behaviours["infer"] = wait_for(gate)
    for number in range(12):
        await chat.send(f"m{number}")
    await until(lambda: key in world.notices())
    queue = await chat.handle.query(Conversation.queue)
    assert limits.waiting <= len(queue) or len(queue) == limits.messages_per_minute
    gate.set()
    for item in queue:
        assert (await chat.result(item.message)).status == "answered"
    refusals = [notice for notice in world.notices() if notice in {"queue-full", "rate-limited"}]
    assert set(refusals) == {key}
    assert len(refusals) <= most_notices


async def test_a_bad_message_does_not_stop_the_next(world: World, chat: Chat) -> None:
    world.behaviours["fetch"] = refuse(ErrorCode.AUDIO_UNREADABLE)
    assert (await chat.ask("noise", spoken=True)).status == "refused"
    del world.behaviours["fetch"]
    assert (await chat.ask("hello")).status == "answered"
    assert contents(world.asked("infer")[0]) == ["hello"], "what was refused is not remembered"


async def test_a_lost_turn_is_told_and_the_next_goes_on(world: World, chat: Chat) -> None:
    world.behaviours["infer"] = wait_for(asyncio.Event())
    await chat.send("lost")
    await until(lambda: bool(world.asked("infer")))
    await chat.turn("1").terminate("an operator's mistake")
    del world.behaviours["infer"]
    assert (await chat.ask("hello")).status == "answered"
    await until(lambda: "internal" in world.notices())


async def test_settings_hold_from_the_next_message_on(world: World, chat: Chat) -> None:
    await chat.ask("hello", spoken=True)
    changed = await chat.handle.execute_update(Conversation.configure, SettingsChange(reply_mode=ReplyMode.OFF))
    assert changed.reply_mode is ReplyMode.OFF
    changed = await chat.handle.execute_update(Conversation.configure, SettingsChange(language="de"))
    assert (changed.reply_mode, changed.language) == (ReplyMode.OFF, "de")
    assert (await chat.ask("again", spoken=True)).reply is None
    assert world.asked("transcribe")[-1].language == "de"
    assert await chat.handle.query(Conversation.settings) == changed


async def test_cancel_ends_what_runs_and_what_waits(world: World, chat: Chat) -> None:
    world.behaviours["infer"] = wait_for(asyncio.Event())
    for said in ("a", "b", "c", "d", "e"):
        await chat.send(said)
    await until(lambda: bool(world.asked("infer")))
    assert await chat.handle.execute_update(Conversation.cancel) == 5
    with pytest.raises(WorkflowFailureError):
        await chat.turn("1").result()
    await until(lambda: world.notices().count("cancelled") == 5)
    del world.behaviours["infer"]
    assert (await chat.ask("hello")).status == "answered"
    assert contents(world.asked("infer")[-1]) == ["hello"]


async def test_reset_starts_afresh(world: World, chat: Chat) -> None:
    await chat.ask("I am Ada")
    await chat.handle.execute_update(Conversation.reset)
    await chat.ask("who am I")
    assert contents(world.asked("infer")[-1]) == ["who am I"]


@pytest.mark.slow
async def test_forget_deletes_and_goes_on(world: World, chat: Chat) -> None:
    await chat.ask("I am Ada")
    before = (await chat.handle.describe()).run_id
    await chat.handle.execute_update(Conversation.forget)
    await until(lambda: bool(world.asked("forget")))
    (asked,) = world.asked("forget")
    assert asked.chat == chat.name
    assert asked.keep_run_id != before
    await chat.ask("who am I")
    assert contents(world.asked("infer")[-1]) == ["who am I"]


async def test_old_turns_become_a_summary(world: World, chat: Chat) -> None:
    async def infer(request: InferRequest) -> Inference | None:
        if request.max_tokens != SUMMARY_TOKENS:
            return None
        return Inference(answer="They greeted.", sentences=(), model="m", finish_reason="stop")

    world.behaviours["infer"] = infer
    window = tuple(Exchange(user=f"hello {number}", assistant="hi") for number in range(WINDOW_TURNS))
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name, memory=Memory(window=window)))
    await chat.ask("one too many")
    await until(lambda: any(r.max_tokens == SUMMARY_TOKENS for r in world.asked("infer")))
    await chat.ask("one more")
    await chat.ask("now")
    prompt = world.asked("infer")[-1]
    assert "They greeted." in prompt.messages[0].content
    assert len(prompt.messages) <= 2 * WINDOW_TURNS + 2


@pytest.mark.slow
async def test_it_continues_as_new_and_loses_nothing(world: World, chat: Chat) -> None:
    unlimited = Limits(messages_per_minute=10_000)
    state = ConversationState(platform=PLATFORM, chat=chat.name, limits=unlimited, turns_per_run=4)
    await chat.open(state)
    first_run = (await chat.handle.describe()).run_id
    for number in range(0, 10, 5):
        messages = [await chat.send(f"m{number + step}") for step in range(5)]
        await chat.result(messages[-1])
    assert (await chat.handle.describe()).run_id != first_run
    heard = [contents(r)[-1] for r in world.asked("infer") if r.max_tokens != SUMMARY_TOKENS]
    assert heard == [f"m{number}" for number in range(10)], "in order, none lost, none twice"
