"""A reply in one message, the voice note with its text: what was not sent leaves the text, and nothing doubles."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities import reply
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import SendUncertainError, VoiceForbiddenError
from tests.activities.test_reply import Chat, Hangs, Mute, Stage, working

SAID: dict[str, Any] = {"text": "Hello.", "transcript": "hi", "captioned": True}
CAPTION = "🎤 hi\n\nHello."
UNITS = len(CAPTION) + 1
"""The microphone takes two."""


@pytest.fixture
async def stage(dev_server: WorkflowEnvironment) -> AsyncIterator[Stage]:
    async with working(Stage(dev_server.client, Chat(caption_limit=UNITS))) as stage:
        yield stage


def captions(chat: Chat) -> list[str]:
    return [voice.caption.plain for voice in chat.voices]


async def test_one_message(stage: Stage) -> None:
    delivered = await stage.reply(**SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat)) == ([], [CAPTION])
    assert (delivered.text, delivered.text_message, delivered.voice) == ("sent", "v1", "sent")
    assert delivered.audio is not None
    assert delivered.error is None


@pytest.mark.parametrize(("less", "asked"), [(1, True), (UNITS, True), (0, False)])
async def test_a_text_that_does_not_fit_or_is_not_asked_for_so_comes_first(
    stage: Stage, less: int, asked: bool
) -> None:
    stage.chat.caption_limit -= less
    delivered = await stage.reply(**SAID | {"captioned": asked}, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat)) == ([CAPTION], [""])
    assert (delivered.text_message, delivered.voice) == ("m1", "sent")


async def test_without_speech_there_is_only_text(stage: Stage) -> None:
    delivered = await stage.reply(**SAID)
    assert (stage.chat.texts, stage.chat.voices, delivered.voice) == ([CAPTION], [], "none")


@pytest.mark.parametrize(
    ("fault", "voice", "error"),
    [
        (VoiceForbiddenError(), "forbidden", ErrorCode.VOICE_FORBIDDEN),
        (BadInputError(ErrorCode.REPLY_FAILED, "caption is too long"), "none", ErrorCode.REPLY_FAILED),
    ],
)
async def test_a_refused_note_leaves_the_text(stage: Stage, fault: Exception, voice: str, error: ErrorCode) -> None:
    stage.chat.before_voice = [fault]
    delivered = await stage.reply(**SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, stage.chat.voices) == ([CAPTION], [])
    assert (delivered.text, delivered.text_message, delivered.voice) == ("sent", "m1", voice)
    assert delivered.error is error


async def test_lost_speech_leaves_the_text(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "STORE_ATTEMPTS", 2)
    speech = await stage.spoken(1)
    await stage.blobs.delete_chat("chat", "1")
    delivered = await stage.reply(**SAID, speech=speech)
    assert (stage.chat.texts, delivered.voice, delivered.error) == ([CAPTION], "none", ErrorCode.VOICE_UNAVAILABLE)


async def test_an_uncertain_note_is_an_uncertain_text_and_nothing_is_repeated(stage: Stage) -> None:
    stage.chat.after_voice = [SendUncertainError()]
    delivered = await stage.reply(**SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat)) == ([], [CAPTION])
    assert (delivered.text, delivered.text_message, delivered.voice) == ("uncertain", None, "uncertain")
    assert delivered.error is ErrorCode.REPLY_UNCERTAIN


async def test_a_failed_note_is_sent_again_with_its_text(stage: Stage) -> None:
    stage.chat.before_voice = [ConnectionRefusedError()]
    delivered = await stage.reply(**SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat), delivered.error) == ([], [CAPTION], None)


async def test_a_note_that_keeps_failing_does_not_keep_back_the_text(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply, "CAPTION_ATTEMPTS", 1)
    stage.chat.before_voice = [ConnectionRefusedError()]
    delivered = await stage.reply(**SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat)) == ([CAPTION], [""])
    assert (delivered.text_message, delivered.voice) == ("m1", "sent")


@pytest.mark.slow
async def test_a_worker_that_is_not_heard_of_again(dev_server: WorkflowEnvironment) -> None:
    stage = Stage(dev_server.client, Hangs(caption_limit=UNITS))
    async with working(stage):
        delivered = await stage.reply(attempt_seconds=1, **SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat)) == ([], [CAPTION])
    assert (delivered.text, delivered.voice) == ("uncertain", "uncertain")


@pytest.mark.slow
async def test_a_worker_that_is_not_heard_of_again_while_it_writes_instead(dev_server: WorkflowEnvironment) -> None:
    stage = Stage(dev_server.client, Mute(caption_limit=UNITS))
    stage.chat.before_voice = [VoiceForbiddenError()]
    async with working(stage):
        delivered = await stage.reply(attempt_seconds=0.7, **SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat)) == ([CAPTION], [""]), "the text is not sent again as a caption"
    assert (delivered.text, delivered.error) == ("uncertain", ErrorCode.REPLY_UNCERTAIN)


@pytest.mark.slow
async def test_a_note_that_may_have_arrived_is_repeated_with_its_text_however_many_attempts_there_were(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply, "CAPTION_ATTEMPTS", 1)
    stage = Stage(dev_server.client, Hangs(caption_limit=UNITS, repeatable=True))
    async with working(stage):
        delivered = await stage.reply(attempt_seconds=1, **SAID, speech=await stage.spoken(1))
    assert (stage.chat.texts, captions(stage.chat)) == ([], [CAPTION, CAPTION]), "the platform keeps one of the two"
    assert (delivered.text, delivered.text_message, delivered.voice) == ("sent", "v", "sent")
