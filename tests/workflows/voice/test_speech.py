"""The spoken side of an answer: when there is one, what is spoken ahead, and what is dropped."""

import pytest
from temporalio import activity
from temporalio.client import Client

from activities.error_codes import ErrorCode
from activities.infer import Inference, InferRequest, Sentence
from tests.support.turns import answer, request
from tests.support.waiting import until
from tests.support.world import World, refuse, signalling
from workflows.voice.contracts import ChatSettings, ReplyMode
from workflows.voice.voice_message import VoiceMessage


@pytest.mark.parametrize(
    ("mode", "spoken", "voice"),
    [
        (ReplyMode.OFF, True, False),
        (ReplyMode.ON, True, True),
        (ReplyMode.ON, False, False),
        (ReplyMode.ALWAYS, False, True),
    ],
)
async def test_reply_modes(client: Client, world: World, mode: ReplyMode, spoken: bool, voice: bool) -> None:
    how: dict[str, object] = {} if spoken else {"audio": None, "text": "typed"}
    result = await answer(client, request(settings=ChatSettings(reply_mode=mode), **how))
    assert result.status == "answered"
    assert (result.reply is not None) is voice
    assert bool(world.asked("synthesize")) is voice
    assert world.asked("infer")[0].signal_sentences is voice
    assert world.asked("infer")[0].signal_ahead is voice


async def test_sentences_are_spoken_while_the_model_still_writes(client: Client, world: World) -> None:
    world.behaviours["infer"] = signalling(("One.", "Two.", "Three."))
    await answer(client)
    assert sorted(s.text for s in world.asked("synthesize")) == ["One.", "Three.", "Two."]
    assert len(world.asked("reply")[0].speech) == 3


@pytest.mark.parametrize("last", ["The end.", "The end.5 is near."])
async def test_a_sentence_that_seems_to_end_is_spoken_ahead_and_dropped_if_it_goes_on(
    client: Client, world: World, last: str
) -> None:
    def spoken() -> list[str]:
        return [asked.text for asked in world.asked("synthesize")]

    async def infer(asked: InferRequest) -> Inference:
        workflow = activity.client().get_workflow_handle(activity.info().workflow_id or "")
        await workflow.signal("sentence", Sentence(attempt=1, index=0, text="The end.", certain=False))
        await until(lambda: spoken() == ["The end."])
        assert (await workflow.query(VoiceMessage.progress)).sentences == ()
        return Inference(answer=last, sentences=(last,), model="m", finish_reason="stop")

    world.behaviours["infer"] = infer
    await answer(client)
    assert spoken() == list(dict.fromkeys(["The end.", last]))
    assert len(world.asked("reply")[0].speech) == 1


async def test_what_a_failed_attempt_said_is_dropped(client: Client, world: World) -> None:
    world.behaviours["infer"] = signalling(("One.", "Wrong.", "Lost."), ("One.", "Right.", "End."))
    result = await answer(client)
    assert result.answer == "One. Right. End."
    spoken = [s.text for s in world.asked("synthesize")]
    assert spoken.count("One.") == 1, "a finished sentence is not spoken again"
    assert len(world.asked("reply")[0].speech) == 3


async def test_without_speech_the_reply_is_text(client: Client, world: World) -> None:
    world.behaviours["synthesize"] = refuse(ErrorCode.VOICE_UNAVAILABLE)
    result = await answer(client)
    assert (result.status, result.error) == ("answered", ErrorCode.VOICE_UNAVAILABLE)
    (reply,) = world.asked("reply")
    assert reply.text
    assert reply.notice.key == "voice-unavailable"
    assert not reply.speech
