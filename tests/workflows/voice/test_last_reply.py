"""The last answer is sent again when it is asked for; that it may not have arrived is told once."""

import asyncio

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.error_codes import ErrorCode
from activities.reply import Delivered, ReplyRequest
from tests.support.conversation import Chat
from tests.support.waiting import until
from tests.support.world import PLATFORM, Behaviour, World, blob, refuse, running, wait_for
from workflows.voice.contracts import Again, ConversationState, Stop
from workflows.voice.conversation import Conversation

ANSWER = "You said hello. That is all."


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


def losing(text: str = "uncertain", voice: str = "sent") -> Behaviour:
    """Deliver an answer, perhaps; notices arrive."""

    async def behaviour(asked: ReplyRequest) -> Delivered | None:
        if asked.notice:
            return None
        given = {"text": text, "voice": voice, "audio": blob("reply"), "error": ErrorCode.REPLY_UNCERTAIN}
        return Delivered.model_validate(given)

    return behaviour


async def again(chat: Chat, message: str = "100", **more: object) -> str | None:
    asked = Again.model_validate({"message": message, "language": "de"} | more)
    answer: str | None = await chat.handle.execute_update("again", asked, result_type=str)
    return answer


async def kept(chat: Chat, turns: int) -> None:
    """Wait until the conversation knows of the end of so many turns."""

    async def known() -> bool:
        memory = await chat.handle.query(Conversation.history)
        return len(memory.window) == turns

    await until(known)


@pytest.mark.parametrize(("text", "voice"), [("uncertain", "sent"), ("sent", "uncertain")])
async def test_the_next_message_brings_one_line(world: World, chat: Chat, text: str, voice: str) -> None:
    world.behaviours["reply"] = losing(text, voice)
    result = await chat.ask("hello", spoken=True)
    assert (result.status, result.uncertain) == ("answered", True)
    await kept(chat, 1)
    del world.behaviours["reply"]
    await chat.ask("still there?")
    await chat.ask("and now?")
    assert world.notices() == ["reply-uncertain"]
    (told,) = [asked for asked in world.asked("reply") if asked.notice]
    assert told.to.message == "1", "the answer that it is about"
    assert world.answers().count(ANSWER) == 1, "nothing is sent again by itself"


async def test_without_another_message_it_is_told_after_a_minute(time_skipping: WorkflowEnvironment) -> None:
    async with running(time_skipping.client, World(behaviours={"reply": losing()})) as world:
        chat = Chat(time_skipping.client)
        await chat.ask("hello")
        await until(lambda: bool(world.notices()))
        seconds = (await time_skipping.get_current_time(chat.handle)) - (await chat.handle.describe()).start_time
        assert 60 <= seconds.total_seconds() < 90
        await chat.ask("hello again")
        await chat.handle.terminate()
        assert world.notices() == ["reply-uncertain"], "of the second, with the next message or after a minute"


async def test_it_is_told_before_a_new_run_begins(world: World, chat: Chat) -> None:
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name, turns_per_run=1))
    world.behaviours["reply"] = losing()
    await chat.ask("hello")
    await until(lambda: world.notices() == ["reply-uncertain"])
    del world.behaviours["reply"]
    await chat.ask("still there?")
    assert world.notices() == ["reply-uncertain"]
    assert await again(chat) == "You said hello. That is all.", "and not what has arrived since"
    assert await again(chat, "101") == "You said still there?. That is all."


async def test_several_in_a_row_are_told_of_and_sent_again_each_to_its_question(world: World, chat: Chat) -> None:
    world.behaviours["reply"] = losing()
    await chat.ask("hello")
    await chat.ask("are you there?")
    await kept(chat, 2)
    del world.behaviours["reply"]
    await chat.ask("well?")
    await until(lambda: world.notices() == ["reply-uncertain"] * 2 or len(world.notices()) == 1)
    told = [asked.notice.params for asked in world.asked("reply") if asked.notice]
    assert sum(int(params["answers"]) for params in told) >= 2, "of both"
    asked = len(world.asked("reply"))
    said = await again(chat)
    assert said == "You said hello. That is all.\n\nYou said are you there?. That is all."
    await until(lambda: len(world.asked("reply")) == asked + 2)
    assert [(sent.to.message, sent.text) for sent in world.asked("reply")[asked:]] == [
        ("1", "You said hello. That is all."),
        ("2", "You said are you there?. That is all."),
    ]
    assert await again(chat, "101") == "You said well?. That is all.", "nothing is in doubt any more"


@pytest.mark.parametrize("telling", ["uncertain", "failed"])
async def test_a_sentence_that_may_not_have_arrived_is_said_again(world: World, chat: Chat, telling: str) -> None:
    async def only_the_sentence(asked: ReplyRequest) -> Delivered | None:
        if not asked.notice:
            return None
        if telling == "failed":
            await refuse(ErrorCode.REPLY_FAILED)(asked)
        return Delivered(text="uncertain", error=ErrorCode.REPLY_UNCERTAIN)

    world.behaviours["reply"] = losing()
    await chat.ask("hello")
    await kept(chat, 1)
    world.behaviours["reply"] = only_the_sentence
    await chat.ask("still there?")
    await until(lambda: len(world.notices()) == 1)
    del world.behaviours["reply"]
    await chat.ask("and now?")
    await until(lambda: len(world.notices()) == 2)
    await chat.ask("and then?")
    assert world.notices() == ["reply-uncertain"] * 2, "twice, as the first may be lost, and no more"


async def test_what_nobody_asked_for_is_in_doubt_for_two_turns(world: World, chat: Chat) -> None:
    world.behaviours["reply"] = losing()
    await chat.ask("hello")
    await kept(chat, 1)
    del world.behaviours["reply"]
    for text in ("one", "two", "three", "four"):
        await chat.ask(text)
    await kept(chat, 5)
    assert await again(chat) == "You said four. That is all."


async def test_what_is_not_told_of_yet_stays_in_doubt_over_turns_that_had_come_before(world: World, chat: Chat) -> None:
    go_on = asyncio.Event()

    async def behaviour(asked: ReplyRequest) -> Delivered | None:
        await go_on.wait()
        return await losing()(asked) if asked.to.message in {"1", "5"} else None

    world.behaviours["reply"] = behaviour
    for number in range(1, 6):
        await chat.send(f"text {number}")
    go_on.set()
    await kept(chat, 5)
    await chat.ask("well?")
    await until(lambda: bool(world.notices()))
    (told,) = [asked.notice for asked in world.asked("reply") if asked.notice]
    assert told.params == {"answers": 2}
    assert await again(chat) == "You said text 1. That is all.\n\nYou said text 5. That is all."


async def test_what_was_asked_for_again_is_not_told_as_well(world: World, chat: Chat) -> None:
    world.behaviours["reply"] = losing()
    await chat.ask("hello", spoken=True)
    await kept(chat, 1)
    del world.behaviours["reply"]
    assert await again(chat) == ANSWER
    await chat.ask("thanks")
    assert world.notices() == []


async def test_text_and_voice_are_sent_again_once_for_each_command(world: World, chat: Chat) -> None:
    await chat.ask("hello", spoken=True)
    await kept(chat, 1)
    for _ in range(2):  # Telegram may deliver the command twice
        assert await again(chat, "100") == ANSWER
    assert await again(chat, "101") == ANSWER
    await until(lambda: len(world.asked("reply")) == 3)
    first, *repeated = world.asked("reply")
    assert [(sent.to.message, sent.to.language) for sent in repeated] == [("100", "de"), ("101", "de")]
    assert {sent.text for sent in repeated} == {first.text}
    assert [sent.speech for sent in repeated] == [(blob("reply"),)] * 2
    assert await again(chat, "102", sends=False) == ANSWER
    await chat.ask("thanks")
    assert len(world.asked("reply")) == 4, "a page shows it by itself"


async def test_what_is_sent_again_and_may_be_lost_is_told_too(world: World, chat: Chat) -> None:
    await chat.ask("hello")
    await kept(chat, 1)
    world.behaviours["reply"] = losing()
    await again(chat)
    await until(lambda: len(world.asked("reply")) == 2)

    async def ended() -> bool:
        return not (await chat.handle.describe()).raw_description.pending_activities

    await until(ended)
    await chat.ask("hm")
    await until(lambda: world.notices() == ["reply-uncertain"])


async def test_where_there_is_no_answer_nothing_is_sent(world: World, chat: Chat) -> None:
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name))
    assert await again(chat) is None
    world.behaviours["infer"] = refuse(ErrorCode.MODEL_REFUSED)
    await chat.ask("hello")
    assert await again(chat) is None
    assert world.answers() == []


@pytest.mark.parametrize("forgetting", ["reset", "forget"])
async def test_what_was_forgotten_is_not_sent_again(world: World, chat: Chat, forgetting: str) -> None:
    world.behaviours["reply"] = losing()
    await chat.ask("hello")
    await kept(chat, 1)
    await chat.handle.execute_update(forgetting)
    assert await again(chat) is None
    await chat.ask("hello")
    assert "reply-uncertain" not in world.notices()


async def test_of_a_stopped_answer_what_was_written_is_sent_again(world: World, chat: Chat) -> None:
    began = asyncio.Event()

    async def speak(asked: object) -> None:
        began.set()
        await wait_for(asyncio.Event())(asked)

    world.behaviours["synthesize"] = speak
    await chat.send("hello", spoken=True)
    await asyncio.wait_for(began.wait(), 10)
    await chat.handle.execute_update(Conversation.stop, Stop())
    assert (await chat.result("1")).status == "stopped"
    await kept(chat, 1)
    assert await again(chat) == ANSWER


async def test_an_answer_that_could_not_be_delivered_is_kept(world: World, chat: Chat) -> None:
    world.behaviours["reply"] = refuse(ErrorCode.REPLY_FAILED)
    assert (await chat.ask("hello")).error is ErrorCode.REPLY_FAILED

    async def is_kept() -> bool:
        return await again(chat, sends=False) == ANSWER

    await until(is_kept)
