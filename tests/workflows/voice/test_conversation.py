"""A conversation, with activities replaced by name."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.error_codes import ErrorCode
from activities.transcribe import TranscribeRequest, Transcript
from tests.support.conversation import Chat, contents
from tests.support.waiting import until
from tests.support.world import PLATFORM, World, refuse, running, wait_for
from workflows.voice.backlog import MAX_PRETRANSCRIBED
from workflows.voice.contracts import (
    ConversationState,
    Limits,
    ReplyMode,
    SettingsChange,
)
from workflows.voice.conversation import Conversation
from workflows.voice.summary import SUMMARY_TOKENS


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


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


async def test_the_languages_of_the_last_turns_are_expected_in_the_next(world: World, chat: Chat) -> None:
    async def hear_german(_request: TranscribeRequest) -> Transcript:
        return Transcript(text="hallo", language="de", language_probability=1, seconds=1, engine_ms=1)

    await chat.ask("hello", spoken=True)
    world.behaviours["transcribe"] = hear_german
    for turns in (1, 2):
        await until(partial(remembered, chat, turns))
        await chat.ask("hallo", spoken=True)
    assert [request.likely_languages for request in world.asked("transcribe")] == [(), ("en",), ("de", "en")]


async def remembered(chat: Chat, turns: int) -> bool:
    """Return whether the conversation knows so many turns: it does a moment after they have ended."""
    return len((await chat.handle.query(Conversation.history)).window) >= turns


async def test_the_model_is_told_when_a_turn_is_asked_and_where(world: World, chat: Chat) -> None:
    await chat.ask("hello")
    await chat.handle.execute_update("configure", SettingsChange(time_zone="Asia/Tokyo"))
    await chat.ask("what day is it")
    first, second = world.asked("infer")
    assert first.asked_at is not None
    assert second.asked_at is not None
    assert first.asked_at <= second.asked_at
    assert (first.time_zone, second.time_zone) == (None, "Asia/Tokyo")
    assert contents(second)[0] == "hello"
    assert second.messages[1].said_at == first.asked_at, "what was said before is told as it was"


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
    gate.set()
    await chat.result("3")
    assert [contents(r)[-1] for r in world.asked("infer")] == ["first", "second", "third"]
    assert len(contents(world.asked("infer")[2])) == 5, "the third prompt holds both turns before it"
    assert world.notices() == [], "nobody has waited for long"


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


async def test_reset_starts_afresh(world: World, chat: Chat) -> None:
    await chat.ask("I am Ada")
    await chat.handle.execute_update(Conversation.reset)
    await chat.ask("who am I")
    assert contents(world.asked("infer")[-1]) == ["who am I"]


@pytest.mark.slow
async def test_forget_deletes_and_goes_on(world: World, chat: Chat) -> None:
    await chat.ask("I am Ada", spoken=True)
    before = (await chat.handle.describe()).run_id
    await chat.handle.execute_update(Conversation.forget)
    await until(lambda: bool(world.asked("forget")))
    (asked,) = world.asked("forget")
    assert (asked.chat, asked.thread, asked.whole_chat) == (chat.name, None, False)
    assert asked.keep_run_id != before
    await chat.ask("who am I", spoken=True)
    assert contents(world.asked("infer")[-1]) == ["who am I"]
    assert world.asked("transcribe")[-1].likely_languages == (), "what it was spoken in is forgotten too"


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


@pytest.mark.slow
async def test_a_message_delivered_again_after_a_forget_is_not_answered_again(world: World, chat: Chat) -> None:
    await chat.ask("I am Ada")
    for _ in range(2):
        before = (await chat.handle.describe()).run_id
        await chat.handle.execute_update(Conversation.forget)
        await until(lambda before=before: _continued(chat, before))
        turn = chat.turn("1")
        with suppress(RPCError):  # so that its id protects it no longer, as the real activity does
            await chat.client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=chat.client.namespace, workflow_execution=WorkflowExecution(workflow_id=turn.id)
                )
            )
        await until(lambda: _is_gone(chat, "1"))
        await chat.send("I am Ada", message="1")
        await chat.ask("hello")
    assert [contents(asked)[-1] for asked in world.asked("infer")] == ["I am Ada", "hello", "hello"]


async def _continued(chat: Chat, before: str | None) -> bool:
    return (await chat.handle.describe()).run_id != before


async def _is_gone(chat: Chat, message: str) -> bool:
    try:
        await chat.turn(message).describe()
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND
    return False
