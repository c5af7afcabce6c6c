"""Stopped turns: an answer ends, and what was said until then is kept and remembered."""

import asyncio
from contextlib import suppress

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.infer import InferRequest, Sentence, Written
from tests.support.conversation import Chat, contents
from tests.support.waiting import until
from tests.support.world import Behaviour, World, wait_for
from workflows.voice.contracts import Stop, VoiceMessageRequest
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage

WRITTEN = "One. **Two** is"


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


def write_without_end() -> Behaviour:
    """Write a sentence and a half, and go on until the answer is stopped; questions about the weather are answered."""

    async def behaviour(request: InferRequest) -> None:
        if "weather" in contents(request)[-1]:
            return
        info = activity.info()
        turn = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        attempt = info.attempt
        await turn.signal("sentence", Sentence(attempt=attempt, index=0, text="One.", written="One. **Tw"))
        await turn.signal("written", Written(attempt=attempt, start=5, written=WRITTEN[5:]))
        await wait_for(asyncio.Event())(request)

    return behaviour


async def has_written(chat: Chat, message: str) -> bool:
    with suppress(RPCError):  # it is started in a moment
        return (await chat.turn(message).query(VoiceMessage.progress)).written == WRITTEN
    return False


async def has_remembered(chat: Chat, *said: tuple[str, str]) -> bool:
    window = (await chat.handle.query(Conversation.history)).window
    return [(exchange.user, exchange.assistant) for exchange in window] == list(said)


async def test_what_was_said_is_kept_marked_and_remembered(world: World, chat: Chat) -> None:
    world.behaviours["infer"] = write_without_end()
    await chat.send("tell me all", spoken=True)
    await until(lambda: has_written(chat, "1"))
    stop = Stop(message="1", heard_chars=4)
    assert await chat.handle.execute_update(Conversation.stop, stop) == 1
    result = await chat.result("1")
    assert (result.status, result.error, result.cut) == ("stopped", None, True)
    assert (result.transcript, result.answer, result.heard_chars) == ("tell me all", f"{WRITTEN} …", 4)
    assert (await chat.turn("1").describe()).status is WorkflowExecutionStatus.COMPLETED, "so that it can be listed"
    (sent,) = world.asked("reply")
    assert (sent.text, sent.transcript, sent.notice.key) == (f"{WRITTEN} …", "tell me all", "cancelled")
    assert (await chat.ask("what is the weather")).status == "answered"
    assert contents(world.asked("infer")[-1])[:2] == ["tell me all", f"{WRITTEN} …"]


async def test_a_message_over_an_answer_ends_it_and_is_answered(world: World, chat: Chat) -> None:
    world.behaviours["infer"] = write_without_end()
    await chat.send("tell me all", signal_sentences=True)
    await until(lambda: has_written(chat, "1"))
    for waiting in ("2", "3", "4", "5"):
        await chat.send(f"and {waiting}", message=waiting, signal_sentences=True)
    stop = Stop(message="1", heard_chars=0)
    await chat.send("the weather", message="6", signal_sentences=True, interrupts=stop)
    assert (await chat.result("6")).status == "answered"
    for stopped in ("1", "2", "3", "4", "5"):
        result = await chat.result(stopped)
        assert (result.status, result.error) == ("stopped", None)
    assert (await chat.result("5")).transcript == "and 5", "what waited is listed as well"
    assert [contents(request)[-1] for request in world.asked("infer")] == ["tell me all", "the weather"]
    assert world.notices() == [], "a page sees it for itself"
    said = [("tell me all", f"{WRITTEN} …"), ("the weather", "You said the weather. That is all.")]
    await until(lambda: has_remembered(chat, *said))


async def test_cancel_tells_of_each_message(world: World, chat: Chat) -> None:
    world.behaviours["infer"] = wait_for(asyncio.Event())
    for said in ("a", "b", "c", "d", "e"):
        await chat.send(said)
    await until(lambda: bool(world.asked("infer")))
    assert await chat.handle.execute_update(Conversation.cancel) == 5
    await until(lambda: world.notices().count("cancelled") == 5)
    assert [(await chat.result(str(number))).status for number in range(1, 6)] == ["stopped"] * 5
    assert await chat.handle.execute_update(Conversation.cancel) == 0
    del world.behaviours["infer"]
    assert (await chat.ask("hello")).status == "answered"
    assert contents(world.asked("infer")[-1]) == ["a", "…", "hello"], "what was not begun is not told"


async def test_an_answer_that_is_written_to_its_end_is_marked(world: World, chat: Chat) -> None:
    await chat.ask("hello")
    stop = Stop(message="1", heard_chars=9)
    await chat.handle.execute_update(Conversation.stop, stop)  # it may not know yet that the turn has ended

    async def marked() -> bool:
        return await chat.handle.query(Conversation.stops) == (stop,)

    await until(marked)
    assert (await chat.result("1")).status == "answered"


@pytest.mark.parametrize("stage", ["fetch", "transcribe", "infer", "synthesize"])
async def test_stop_in_each_stage(world: World, chat: Chat, stage: str) -> None:
    began = asyncio.Event()
    forever = wait_for(asyncio.Event())

    async def behaviour(asked: object) -> None:
        if getattr(asked, "notice", None) is None:
            began.set()
            await forever(asked)

    world.behaviours[stage] = behaviour
    await chat.send("hello", spoken=True)
    await asyncio.wait_for(began.wait(), 10)
    assert await chat.handle.execute_update(Conversation.stop, Stop()) == 1
    result = await chat.result("1")
    whole = "You said hello. That is all."
    assert result.status == "stopped"
    assert result.answer == (whole if stage == "synthesize" else "")
    told = [(request.text, request.notice.key) for request in world.asked("reply") if request.notice]
    assert told == [(whole if stage == "synthesize" else "", "cancelled")]


async def test_an_answer_that_is_being_sent_is_answered(world: World, chat: Chat) -> None:
    began, gate = asyncio.Event(), asyncio.Event()

    async def behaviour(asked: object) -> None:
        began.set()
        await wait_for(gate)(asked)

    world.behaviours["reply"] = behaviour
    await chat.send("hello", spoken=True)
    await asyncio.wait_for(began.wait(), 10)
    await chat.handle.execute_update(Conversation.stop, Stop(message="1", heard_chars=3))
    gate.set()
    result = await chat.result("1")
    assert (result.status, result.answer, result.heard_chars) == ("answered", "You said hello. That is all.", 3)
    assert world.notices() == []
    await until(lambda: has_remembered(chat, ("hello", "You said hello. That is all.")))


async def test_a_turn_started_by_hand_is_stopped_by_a_signal(client: Client, world: World, chat: Chat) -> None:
    world.behaviours["infer"] = wait_for(asyncio.Event())
    turn = await client.start_workflow(
        VoiceMessage.run,
        VoiceMessageRequest(platform="test", chat=chat.name, text="hello"),
        id=f"by-hand/{chat.name}",
        task_queue="june",
    )
    await until(lambda: bool(world.asked("infer")))
    await turn.signal(VoiceMessage.stop, Stop())
    await turn.signal(VoiceMessage.stop, Stop())
    assert (await turn.result()).status == "stopped"
