"""A turn, on the time-skipping server, with activities replaced by name."""

import asyncio
import json
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment

from activities.error_codes import ErrorCode
from activities.infer import Inference, InferRequest, Sentence, Thinking
from activities.reply import Delivered
from tests.support.turns import answer, request, start
from tests.support.waiting import until
from tests.support.world import World, blob, break_down, refuse, wait_for
from workflows.names import VOICE_MESSAGE, WORKFLOW_QUEUE, Stage
from workflows.voice.contracts import Exchange, Memory, VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage


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


async def test_a_transient_fault_is_retried(client: Client, world: World) -> None:
    world.behaviours = {name: break_down(2) for name in ("fetch", "transcribe", "infer", "synthesize", "reply")}
    result = await answer(client)
    assert result.status == "answered"
    assert result.reply is not None


async def test_the_answers_own_language_speaks(client: Client, world: World) -> None:
    async def answer_in_english(asked: InferRequest) -> Inference:
        assert asked.language is None
        assert asked.likely_languages == ("fr", "de")
        return Inference(
            answer="Yes. Un café.",
            sentences=("Yes.", "Un café."),
            languages=("en", "fr"),
            question_language="en",
            model="m",
            finish_reason="stop",
        )

    world.behaviours["infer"] = answer_in_english
    settings = {"reply_mode": "always"}
    asked = request(audio=None, text="Is it?", language="de", languages=("fr",), settings=settings)
    result = await answer(client, asked)
    assert (result.language, result.answer_language) == ("en", "en")
    spoken = {(said.text, said.language) for said in world.asked("synthesize")}
    assert spoken == {("Yes.", "en"), ("Un café.", "fr")}


async def test_without_a_detector_the_client_tells_the_language(client: Client, world: World) -> None:
    asked = request(audio=None, text="Ist es das?", language="de", settings={"reply_mode": "always"})
    result = await answer(client, asked)
    assert (result.language, result.answer_language) == ("de", None)
    assert {said.language for said in world.asked("synthesize")} == {"de"}


async def test_a_sentence_signalled_in_a_language_is_spoken_once(client: Client, world: World) -> None:
    go_on = asyncio.Event()

    async def slowly(_asked: InferRequest) -> Inference:
        await go_on.wait()
        said = Inference(answer="Un café.", sentences=("Un café.",), model="m", finish_reason="stop")
        return said.model_copy(update={"languages": ("fr",)})

    world.behaviours["infer"] = slowly
    handle = await start(client)
    await until(lambda: bool(world.asked("infer")))
    await handle.signal(VoiceMessage.sentence, Sentence(attempt=1, index=0, text="Un café.", language="fr"))
    await until(lambda: len(world.asked("synthesize")) == 1)
    go_on.set()
    assert (await handle.result()).reply is not None
    assert len(world.asked("synthesize")) == 1


async def test_that_the_model_thinks_is_shown_until_it_writes(client: Client, world: World) -> None:
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    handle = await start(client)
    await until(lambda: bool(world.asked("infer")))
    assert not (await handle.query(VoiceMessage.progress)).thinking
    await handle.signal(VoiceMessage.thinking, Thinking(attempt=1))
    assert (await handle.query(VoiceMessage.progress)).thinking
    await handle.signal(VoiceMessage.sentence, Sentence(attempt=1, index=0, text="One."))
    assert not (await handle.query(VoiceMessage.progress)).thinking
    go_on.set()
    await handle.result()


@pytest.mark.parametrize(("reason", "notices"), [("length", ["answer-cut"]), ("repetition", [])])
async def test_an_answer_that_was_cut_is_kept_and_told(
    client: Client, world: World, reason: str, notices: list[str]
) -> None:
    async def cut(_asked: InferRequest) -> Inference:
        return Inference(answer="One. Two …", sentences=("One.",), model="m", finish_reason=reason, cut=True)

    world.behaviours["infer"] = cut
    result = await answer(client)
    assert (result.status, result.answer, result.cut, result.error) == ("answered", "One. Two …", True, None)
    assert world.notices() == notices
    assert world.answers() == ["One. Two …"]


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (Stage.FETCH, ErrorCode.AUDIO_TOO_LONG),
        (Stage.FETCH, ErrorCode.AUDIO_UNREADABLE),
        (Stage.TRANSCRIBE, ErrorCode.NO_SPEECH),
    ],
)
async def test_bad_input_is_refused_and_the_user_told(
    client: Client, world: World, stage: Stage, code: ErrorCode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.behaviours[stage.value] = refuse(code, limit_minutes=10)
    result = await answer(client)
    assert (result.status, result.error, result.error_stage) == ("refused", code, stage)
    assert len(world.asked(stage.value)) == 1, "bad input is not tried again"
    (told,) = world.asked("reply")
    assert told.notice.key == code.value
    assert told.notice.params == {"limit_minutes": 10}
    assert not told.text
    (logged,) = [record for record in caplog.records if record.message.startswith("turn failed")]
    assert logged.levelname == "INFO", "it is no fault of june's"


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


async def test_a_cancellation_is_raised_after_an_activity_that_ends_all_the_same(client: Client, world: World) -> None:
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
    with time_skipping.with_time_skipping_disabled():  # or the timeout of six hours has passed in a moment
        handle = await start(client, request(memory=None))
    await until(lambda: bool(world.asked("transcribe")))
    assert not world.asked("infer")
    await handle.signal(VoiceMessage.proceed, Memory(window=(Exchange(user="before", assistant="yes"),)))
    result = await handle.result()
    assert result.status == "answered"
    assert [m.content for m in world.asked("infer")[0].messages[1:]] == ["before", "yes", "hello"]
