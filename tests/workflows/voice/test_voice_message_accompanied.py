"""A turn under way, as its platform sees it: accompanied when it is due, looked at while it goes on, never harmed."""

import asyncio

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.error_codes import ErrorCode
from activities.infer import Sentence
from activities.synthesize import Speech, SynthesizeRequest
from tests.support.turns import answer, request, start
from tests.support.waiting import until
from tests.support.world import Behaviour, World, blob, break_down, refuse, running, signalling, wait_for
from workflows.names import Stage
from workflows.voice.contracts import ChatSettings, Layout, Memory, ReplyMode, TurnProgress, VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


async def test_it_is_accompanied_where_the_platform_can(client: Client, world: World) -> None:
    await answer(client)
    assert not world.asked("accompany")
    await answer(client, request(accompanied=True))
    (asked,) = world.asked("accompany")
    assert (asked.to.message, asked.speaks) == ("1", True)


async def test_in_writing_the_text_is_shown_while_it_is_written(client: Client, world: World) -> None:
    await answer(client, request(accompanied=True, settings=ChatSettings(reply_mode=ReplyMode.OFF)))
    assert not world.asked("accompany")[0].speaks
    assert world.asked("infer")[0].signal_sentences
    assert not world.asked("synthesize")


async def test_a_chat_that_wants_captions_gets_them(client: Client, world: World) -> None:
    await answer(client, request(accompanied=True, settings=ChatSettings(layout=Layout.CAPTION)))
    assert (world.asked("accompany")[0].captioned, world.asked("reply")[0].captioned) == (True, True)
    await answer(client, request(accompanied=True))
    assert (world.asked("accompany")[1].captioned, world.asked("reply")[1].captioned) == (False, False)


async def test_a_turn_that_only_waits_is_not_accompanied(client: Client, world: World) -> None:
    handle = await start(client, request(accompanied=True, memory=None))
    await until(lambda: bool(world.asked("transcribe")))
    assert (await handle.query(VoiceMessage.progress)).stage in {Stage.TRANSCRIBE, Stage.WAIT}
    assert not world.asked("accompany")
    await handle.signal(VoiceMessage.proceed, Memory())
    assert (await handle.result()).status == "answered"
    assert len(world.asked("accompany")) == 1


@pytest.mark.parametrize("fault", [break_down(1000), refuse(ErrorCode.CHAT_GONE), wait_for(asyncio.Event())])
async def test_progress_that_fails_or_hangs_harms_nothing(client: Client, world: World, fault: Behaviour) -> None:
    world.behaviours["accompany"] = fault
    result = await answer(client, request(accompanied=True))
    assert (result.status, result.error) == ("answered", None)
    assert result.reply is not None


async def test_nobody_to_accompany_harms_nothing(client: Client, world: World) -> None:
    elsewhere = request(platform="elsewhere", accompanied=True, audio=None, text="typed")
    handle = await start(client, elsewhere)
    await until(lambda: bool(world.asked("infer")))
    async with running(client, world, without=("june", "june-gpu", "june-cpu"), platform="elsewhere"):
        assert (await handle.result()).status == "answered"


async def test_progress_shows_sentences_and_speech_in_order(client: Client, world: World) -> None:
    sentences = ("One.", "Two.", "Three.")
    may_speak = {text: asyncio.Event() for text in (*sentences, "Another.", "Late.")}

    async def speak(asked: SynthesizeRequest) -> Speech:
        await may_speak[asked.text].wait()
        return Speech(audio=blob("opus"), pcm=blob(asked.text.strip(".")), engine_ms=1)

    world.behaviours = {"infer": wait_for(asyncio.Event()), "synthesize": speak}
    handle = await start(client)

    async def progress() -> TurnProgress:
        return await handle.query(VoiceMessage.progress)

    await until(lambda: bool(world.asked("infer")))
    assert ((await progress()).stage, (await progress()).sentences) == (Stage.INFER, ())
    for index, text in enumerate(sentences):
        await handle.signal(VoiceMessage.sentence, Sentence(attempt=1, index=index, text=text))
    await until(lambda: len(world.asked("synthesize")) == 3)
    may_speak["Two."].set()
    seen = await progress()
    assert (seen.sentences, seen.speech, seen.replying) == (sentences, (), False)
    may_speak["One."].set()
    await speech(handle, ["One", "Two"])
    may_speak["Three."].set()
    await speech(handle, ["One", "Two", "Three"])

    late = Sentence(attempt=1, index=1, text="Two.")
    await handle.signal(VoiceMessage.sentence, late)
    assert (await progress()).sentences == sentences, "what comes twice is shown once"
    await handle.signal(VoiceMessage.sentence, Sentence(attempt=2, index=0, text="Another."))
    assert ((await progress()).sentences, (await progress()).speech) == (("Another.",), ())
    await handle.signal(VoiceMessage.sentence, Sentence(attempt=1, index=3, text="Late."))
    assert (await progress()).sentences == ("Another.",), "a failed attempt has nothing more to say"
    await handle.terminate()


async def speech(handle: WorkflowHandle[VoiceMessage, VoiceMessageResult], names: list[str]) -> None:
    """Wait for the speech of these sentences, in this order."""
    async with asyncio.timeout(10):
        while True:
            seen = await handle.query(VoiceMessage.progress)
            if [ref.key.rsplit("/", 1)[-1].removesuffix(".pcm") for ref in seen.speech] == names:
                return
            await asyncio.sleep(0.02)


async def test_progress_of_a_turn_that_has_ended(client: Client, world: World) -> None:
    world.behaviours["infer"] = signalling(("One.", "Wrong.", "Lost."), ("One.", "Right.", "End."))
    handle = await start(client)
    result = await handle.result()
    seen = await handle.query(VoiceMessage.progress)
    assert (seen.stage, seen.replying, seen.result) == (Stage.DONE, True, result)
    assert seen.sentences == ("One.", "Right.", "End.")
    assert len(seen.speech) == 3


async def test_a_refused_turn_is_no_longer_under_way(client: Client, world: World) -> None:
    world.behaviours["fetch"] = refuse(ErrorCode.AUDIO_UNREADABLE)
    handle = await start(client, request(accompanied=True))
    await handle.result()
    seen = await handle.query(VoiceMessage.progress)
    assert (seen.replying, seen.sentences) == (True, ())
