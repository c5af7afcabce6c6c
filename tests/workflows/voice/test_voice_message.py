"""A turn, on the time-skipping server, with activities replaced by name."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import WorkflowEnvironment

from activities.error_codes import ErrorCode
from activities.infer import Inference, InferRequest, Sentence
from activities.reply import Delivered
from activities.values import AudioSource
from tests.support.waiting import until
from tests.support.world import PLATFORM, World, blob, break_down, refuse, running, signalling, wait_for
from workflows.activity_options import TURN_DEADLINE
from workflows.names import VOICE_MESSAGE, WORKFLOW_QUEUE, Stage
from workflows.voice.contracts import ChatSettings, Exchange, Memory, ReplyMode, VoiceMessageRequest, VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage


@pytest.fixture
def client(time_skipping: WorkflowEnvironment) -> Client:
    return time_skipping.client


@pytest.fixture
async def world(client: Client) -> AsyncIterator[World]:
    async with running(client, World()) as world:
        yield world


def request(**changes: object) -> VoiceMessageRequest:
    given: dict[str, object] = {
        "platform": PLATFORM,
        "chat": "1",
        "message": "1",
        "audio": AudioSource(locator="hello"),
    }
    return VoiceMessageRequest.model_validate(given | changes)


async def start(
    client: Client, asked: VoiceMessageRequest | None = None
) -> WorkflowHandle[VoiceMessage, VoiceMessageResult]:
    return await client.start_workflow(
        VoiceMessage.run, asked or request(), id=f"voice-{uuid4()}", task_queue=WORKFLOW_QUEUE
    )


async def answer(client: Client, asked: VoiceMessageRequest | None = None) -> VoiceMessageResult:
    return await (await start(client, asked)).result()


async def test_a_spoken_message_gets_a_spoken_reply(client: Client, world: World) -> None:
    result = await answer(client)
    assert result.status == "answered"
    assert result.transcript == "hello"
    assert result.answer == "You said hello. That is all."
    assert result.reply is not None
    assert result.error is None
    assert set(result.stage_ms) == {Stage.FETCH, Stage.TRANSCRIBE, Stage.INFER, Stage.SYNTHESIZE, Stage.REPLY}
    assert [name for name, _ in world.calls] == ["fetch", "transcribe", "infer", "synthesize", "synthesize", "reply"]
    (reply,) = world.asked("reply")
    assert len(reply.speech) == 2
    assert reply.transcript == "hello"


async def test_it_starts_by_hand_with_plain_json(client: Client, world: World) -> None:
    by_hand = json.loads('{"platform": "test", "audio": {"locator": "by hand"}}')
    result = await client.execute_workflow(
        VOICE_MESSAGE, by_hand, id=f"hand-{uuid4()}", task_queue=WORKFLOW_QUEUE, result_type=VoiceMessageResult
    )
    assert result.transcript == "by hand"


async def test_a_request_that_makes_no_sense_fails_at_once(client: Client, world: World) -> None:
    with pytest.raises(WorkflowFailureError) as failure:
        await client.execute_workflow(
            VOICE_MESSAGE, {"platform": "test"}, id=f"hand-{uuid4()}", task_queue=WORKFLOW_QUEUE
        )
    assert "either audio or text" in str(failure.value.cause)
    assert not world.calls


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


async def test_a_transient_fault_is_retried(client: Client, world: World) -> None:
    world.behaviours = {name: break_down(2) for name in ("fetch", "transcribe", "infer", "synthesize", "reply")}
    result = await answer(client)
    assert result.status == "answered"
    assert result.reply is not None


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (Stage.FETCH, ErrorCode.AUDIO_TOO_LONG),
        (Stage.FETCH, ErrorCode.AUDIO_UNREADABLE),
        (Stage.TRANSCRIBE, ErrorCode.NO_SPEECH),
    ],
)
async def test_bad_input_is_refused_and_the_user_told(
    client: Client, world: World, stage: Stage, code: ErrorCode
) -> None:
    world.behaviours[stage.value] = refuse(code, limit_minutes=10)
    result = await answer(client)
    assert (result.status, result.error, result.error_stage) == ("refused", code, stage)
    assert len(world.asked(stage.value)) == 1, "bad input is not tried again"
    (told,) = world.asked("reply")
    assert told.notice.key == code.value
    assert told.notice.params == {"limit_minutes": 10}
    assert not told.text


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (Stage.FETCH, ErrorCode.AUDIO_UNAVAILABLE),
        (Stage.TRANSCRIBE, ErrorCode.TRANSCRIPTION_UNAVAILABLE),
        (Stage.INFER, ErrorCode.MODEL_UNAVAILABLE),
    ],
)
async def test_a_lasting_fault_ends_in_an_apology(client: Client, world: World, stage: Stage, code: ErrorCode) -> None:
    world.behaviours[stage.value] = break_down(1000)
    result = await answer(client)
    assert (result.status, result.error, result.error_stage) == ("failed", code, stage)
    assert world.notices() == [code.value]
    assert len(world.asked(stage.value)) <= 8


async def test_without_speech_the_reply_is_text(client: Client, world: World) -> None:
    world.behaviours["synthesize"] = refuse(ErrorCode.VOICE_UNAVAILABLE)
    result = await answer(client)
    assert (result.status, result.error) == ("answered", ErrorCode.VOICE_UNAVAILABLE)
    (reply,) = world.asked("reply")
    assert reply.text
    assert reply.notice.key == "voice-unavailable"
    assert not reply.speech


async def test_a_reply_that_cannot_be_delivered_is_recorded(client: Client, world: World) -> None:
    world.behaviours["reply"] = break_down(1000)
    result = await answer(client)
    assert (result.status, result.error) == ("failed", ErrorCode.REPLY_FAILED)
    assert result.answer


async def test_a_reply_that_is_uncertain_is_recorded(client: Client, world: World) -> None:
    async def reply(asked: object) -> Delivered:
        return Delivered(text="uncertain", voice="sent", audio=blob("reply"), error=ErrorCode.REPLY_UNCERTAIN)

    world.behaviours["reply"] = reply
    result = await answer(client)
    assert (result.status, result.error, result.error_stage) == ("answered", ErrorCode.REPLY_UNCERTAIN, Stage.REPLY)
    assert result.reply is not None
    assert len(world.asked("reply")) == 1


async def test_a_chat_that_is_gone_is_left_alone(client: Client, world: World) -> None:
    world.behaviours["reply"] = refuse(ErrorCode.CHAT_GONE)
    result = await answer(client)
    assert (result.status, result.error, result.error_stage) == ("failed", ErrorCode.CHAT_GONE, Stage.REPLY)
    assert len(world.asked("reply")) == 1, "nobody is there to be told"


async def test_a_turn_has_a_deadline(client: Client, world: World) -> None:
    async def ask_for_patience(asked: object) -> None:
        raise ApplicationError("scripted", next_retry_delay=timedelta(minutes=4))

    world.behaviours = dict.fromkeys(("transcribe", "infer"), ask_for_patience)
    result = await answer(client)
    assert result.status == "failed"
    assert len(world.notices()) == 1
    assert result.total_ms <= TURN_DEADLINE.total_seconds() * 1000


@pytest.mark.parametrize("stage", ["fetch", "transcribe", "infer", "synthesize", "reply"])
async def test_cancel_in_each_stage(client: Client, world: World, stage: str) -> None:
    began = asyncio.Event()
    forever = wait_for(asyncio.Event())

    async def behaviour(asked: object) -> None:
        if getattr(asked, "notice", None) is None:
            began.set()
            await forever(asked)

    world.behaviours[stage] = behaviour
    handle = await start(client)
    await asyncio.wait_for(began.wait(), 10)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert world.notices() == ["cancelled"]


async def test_a_cancellation_is_heeded_after_an_activity_that_ends_all_the_same(client: Client, world: World) -> None:
    began = asyncio.Event()

    async def behaviour(_asked: object) -> None:
        began.set()
        await asyncio.sleep(0.3)  # without heartbeats, it does not hear of it

    world.behaviours["transcribe"] = behaviour
    handle = await start(client)
    await asyncio.wait_for(began.wait(), 10)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert world.asked("infer") == []
    assert world.notices() == ["cancelled"]


async def test_a_turn_held_back_waits_for_its_memory(
    time_skipping: WorkflowEnvironment, client: Client, world: World
) -> None:
    with time_skipping.with_time_skipping_disabled():  # or the patience of six hours is over in a moment
        handle = await start(client, request(memory=None))
    await until(lambda: bool(world.asked("transcribe")))
    assert not world.asked("infer")
    await handle.signal(VoiceMessage.proceed, Memory(window=(Exchange(user="before", assistant="yes"),)))
    result = await handle.result()
    assert result.status == "answered"
    assert [m.content for m in world.asked("infer")[0].messages[1:]] == ["before", "yes", "hello"]


async def test_the_web_ui_can_read_it(client: Client, world: World) -> None:
    handle = await start(client)
    await handle.result()
    description = await handle.describe()
    assert description.typed_search_attributes.search_attributes
    history = await handle.fetch_history()
    summaries = [event.user_metadata.summary.data.decode() for event in history.events if event.user_metadata.summary]
    assert any("You said hello." in text for text in summaries)
