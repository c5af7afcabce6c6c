"""The activity ``reply``, on a real server: what one attempt has sent, the next does not send again."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import ActivityFailureError, Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import reply
from activities.audio.codec import decode, encode_ogg_opus, join_ogg_opus, seconds_of
from activities.audio.pcm import paused
from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import Document, MessageText, SendUncertainError, VoiceForbiddenError, VoiceNote
from activities.reply import (
    Delivered,
    FileDelivered,
    FileRequest,
    Ledger,
    PartState,
    ReplyActivity,
    ReplyRequest,
    within,
)
from activities.values import Address, AudioSource, BlobRef, Notice
from tests.support import audio_samples as make
from tests.support.waiting import until

RATE = 22_050


class Chat:
    """A platform that remembers what it was sent, and fails as it is told to."""

    platform = "chat"
    file_limit = 1000

    def __init__(self, *, repeatable: bool = False, caption_limit: int = 0) -> None:
        self.repeatable = repeatable
        self.caption_limit = caption_limit
        self.texts: list[str] = []
        self.voices: list[VoiceNote] = []
        self.files: list[Document] = []
        self.addresses: list[Address] = []
        self.before_file: list[Exception] = []
        self.after_file: list[Exception] = []
        self.before_text: list[Exception] = []
        self.before_voice: list[Exception] = []
        self.after_voice: list[Exception] = []

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        raise NotImplementedError

    async def send_text(self, to: Address, text: MessageText) -> str:
        if self.before_text:
            raise self.before_text.pop()
        self.texts.append(text.plain)
        self.addresses.append(to)
        return f"m{len(self.texts)}"

    async def send_voice(self, to: Address, voice: VoiceNote) -> str | None:
        if self.before_voice:
            raise self.before_voice.pop()
        self.voices.append(voice)
        self.addresses.append(to)
        if self.after_voice:
            raise self.after_voice.pop()
        return "v1"

    async def send_file(self, to: Address, document: Document) -> str | None:
        if self.before_file:
            raise self.before_file.pop()
        self.files.append(document)
        self.addresses.append(to)
        if self.after_file:
            raise self.after_file.pop()
        return f"f{len(self.files)}"


def say(notice: Notice, language: str | None) -> str:
    return f"[{notice.key} {language} {notice.params}]"


class Stage:
    """A worker with the activity, and what it works on."""

    def __init__(
        self, client: Client, chat: Chat | None = None, *, max_seconds: float = 60, max_bytes: int = 10**6
    ) -> None:
        self.client = client
        self.chat = chat or Chat()
        self.blobs = BlobStore.open("memory://")
        self.activity = ReplyActivity(self.chat, self.blobs, say, join_ogg_opus, max_seconds, max_bytes)
        self.queue = f"reply-{uuid.uuid4()}"

    async def spoken(self, *seconds: float) -> tuple[BlobRef, ...]:
        tones = [paused(make.tone(one, RATE, 300 + index), RATE) for index, one in enumerate(seconds)]
        return tuple([await self.stored(encode_ogg_opus(tone, RATE, 32_000), seconds_of(tone, RATE)) for tone in tones])

    async def stored(self, note: bytes, seconds: float) -> BlobRef:
        return await self.blobs.put(
            "chat", "1", note, mime="audio/ogg", seconds=seconds, sample_rate=48_000, ending="ogg"
        )

    async def reply(
        self, *, attempt_seconds: float = 20, initial_seconds: float = 0.01, **request: object
    ) -> Delivered:
        to = Address(platform="chat", chat="1", message="7", language="de")
        return await self.client.execute_activity_method(
            ReplyActivity.reply,
            ReplyRequest.model_validate({"to": to} | request),
            id=str(uuid.uuid4()),
            task_queue=self.queue,
            start_to_close_timeout=timedelta(seconds=attempt_seconds),
            heartbeat_timeout=timedelta(seconds=15),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=initial_seconds), maximum_attempts=3),
        )

    async def send_file(self, data: bytes) -> FileDelivered:
        to = Address(platform="chat", chat="1", message="7")
        file = await self.blobs.put("chat", "1", data, mime="text/x-python", seconds=0, sample_rate=0, ending="py")
        return await self.client.execute_activity_method(
            ReplyActivity.send_file,
            FileRequest(to=to, name="sums.py", file=file),
            id=str(uuid.uuid4()),
            task_queue=self.queue,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=15),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=0.01), maximum_attempts=3),
        )


@pytest.fixture
async def stage(dev_server: WorkflowEnvironment) -> AsyncIterator[Stage]:
    async with working(Stage(dev_server.client)) as stage:
        yield stage


@asynccontextmanager
async def working(stage: Stage) -> AsyncIterator[Stage]:
    queue = stage.queue
    activities: list[Callable[..., Any]] = [stage.activity.reply, stage.activity.send_file]
    async with Worker(stage.client, task_queue=queue, activities=activities, graceful_shutdown_timeout=timedelta(0)):
        yield stage


async def test_a_file_is_sent(stage: Stage) -> None:
    assert await stage.send_file(b"1" * 1000) == FileDelivered(state="sent", message="f1")
    assert stage.chat.files == [Document("sums.py", b"1" * 1000)]
    with pytest.raises(ActivityFailureError) as failed:
        await stage.send_file(b"1" * 1001)
    assert isinstance(failed.value.cause, ApplicationError)
    assert (failed.value.cause.type, failed.value.cause.details) == (ErrorCode.REPLY_FAILED, ({"limit_bytes": 1000},))


async def test_a_file_is_sent_again_where_it_was_certainly_not_sent(stage: Stage) -> None:
    stage.chat.before_file.append(ConnectionError("scripted"))
    assert await stage.send_file(b"1") == FileDelivered(state="sent", message="f1")
    assert len(stage.chat.files) == 1


async def test_a_file_that_may_have_arrived_is_not_sent_again(stage: Stage) -> None:
    stage.chat.after_file.append(SendUncertainError("scripted"))
    assert await stage.send_file(b"1") == FileDelivered(state="uncertain")
    assert len(stage.chat.files) == 1


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "x" * 101, "ü.py", "a\n"])
def test_names_of_files_are_plain(name: str) -> None:
    ref = BlobRef(key="k", mime="a/b", bytes=1, seconds=0, sample_rate=0)
    with pytest.raises(ValueError, match="name"):
        FileRequest(to=Address(platform="chat", chat="1", message="7"), name=name, file=ref)


async def test_text_then_voice(stage: Stage) -> None:
    delivered = await stage.reply(text="Hello.", transcript="hi", speech=await stage.spoken(1, 2))
    assert stage.chat.texts == ["🎤 hi\n\nHello."]
    assert [(to.chat, to.message) for to in stage.chat.addresses] == [("1", "7"), ("1", "7")]
    assert (delivered.text_message, delivered.voice, delivered.error) == ("m1", "sent", None)
    assert delivered.audio is not None
    assert (delivered.audio.mime, delivered.audio.sample_rate) == ("audio/ogg", 48_000)
    assert delivered.audio.seconds == pytest.approx(3.3, abs=0.03)
    (voice,) = stage.chat.voices
    assert await stage.blobs.get(delivered.audio) == voice.data
    assert seconds_of(decode(voice.data, 60)) == pytest.approx(voice.seconds, abs=0.03)


async def test_the_reply_in_a_topic_lies_apart(stage: Stage) -> None:
    to = {"platform": "chat", "chat": "1", "thread": "5", "message": "7"}
    delivered = await stage.reply(to=to, text="Hello.", speech=await stage.spoken(1))
    assert delivered.audio
    assert delivered.audio.key.startswith("chat/1/5/")


async def test_a_notice_is_said_in_the_user_s_language(stage: Stage) -> None:
    delivered = await stage.reply(notice={"key": "audio-too-long", "params": {"limit_seconds": 600}})
    assert stage.chat.texts == ["[audio-too-long de {'limit_seconds': 600}]"]
    assert (delivered.text_message, delivered.voice, delivered.audio) == ("m1", "none", None)


async def test_voice_without_text(stage: Stage) -> None:
    delivered = await stage.reply(speech=await stage.spoken(1))
    assert (delivered.text_message, delivered.voice) == (None, "sent")
    assert stage.chat.texts == []


async def test_nothing_to_say(stage: Stage) -> None:
    assert await stage.reply() == Delivered()


async def test_forbidden_voice_leaves_the_text(stage: Stage) -> None:
    stage.chat.before_voice = [VoiceForbiddenError()]
    delivered = await stage.reply(text="Hello.", speech=await stage.spoken(1))
    assert (delivered.text_message, delivered.voice, delivered.error) == ("m1", "forbidden", ErrorCode.VOICE_FORBIDDEN)


async def test_an_uncertain_voice_is_not_sent_again(stage: Stage) -> None:
    stage.chat.after_voice = [SendUncertainError()]
    delivered = await stage.reply(text="Hello.", speech=await stage.spoken(1))
    assert (delivered.voice, delivered.error) == ("uncertain", ErrorCode.REPLY_UNCERTAIN)
    assert delivered.audio is not None
    assert len(stage.chat.voices) == 1


async def test_a_failed_voice_is_sent_again_and_the_text_is_not(stage: Stage) -> None:
    stage.chat.before_voice = [ConnectionRefusedError()]
    delivered = await stage.reply(text="Hello.", speech=await stage.spoken(1))
    assert (delivered.text_message, delivered.voice) == ("m1", "sent")
    assert (len(stage.chat.texts), len(stage.chat.voices)) == (1, 1)


async def test_a_failed_text_is_sent_again(stage: Stage) -> None:
    stage.chat.before_text = [ConnectionRefusedError()]
    delivered = await stage.reply(text="Hello.")
    assert (delivered.text_message, stage.chat.texts) == ("m1", ["Hello."])


async def test_a_refusal_for_good_is_not_tried_again(stage: Stage) -> None:
    stage.chat.before_voice = [BadInputError(ErrorCode.REPLY_FAILED, "no"), ConnectionRefusedError()]
    stage.chat.before_voice.reverse()
    with pytest.raises(ActivityFailureError) as caught:
        await stage.reply(text="Hello.", speech=await stage.spoken(1))
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == ErrorCode.REPLY_FAILED
    assert len(stage.chat.before_voice) == 1


async def test_an_uncertain_text_is_recorded_and_not_sent_again(stage: Stage) -> None:
    stage.chat.before_text = [SendUncertainError()]
    delivered = await stage.reply(text="Hello.")
    assert (delivered.text, delivered.text_message, delivered.error) == ("uncertain", None, ErrorCode.REPLY_UNCERTAIN)
    assert stage.chat.texts == []


async def test_voice_follows_an_uncertain_text(stage: Stage) -> None:
    stage.chat.before_text = [SendUncertainError()]
    stage.chat.before_voice = [ConnectionRefusedError()]
    delivered = await stage.reply(text="Hello.", speech=await stage.spoken(1))
    assert (delivered.text, delivered.voice) == ("uncertain", "sent")
    assert delivered.error is ErrorCode.REPLY_UNCERTAIN
    assert (len(stage.chat.texts), len(stage.chat.voices)) == (0, 1), "at the second attempt too"


async def test_a_chat_that_is_gone_is_not_tried_again(stage: Stage) -> None:
    stage.chat.before_text = [ConnectionRefusedError(), BadInputError(ErrorCode.CHAT_GONE, "blocked")]
    with pytest.raises(ActivityFailureError) as caught:
        await stage.reply(text="Hello.", speech=await stage.spoken(1))
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == ErrorCode.CHAT_GONE
    assert (len(stage.chat.before_text), stage.chat.voices) == (1, [])


async def test_a_pause_that_the_platform_asks_for_is_kept(stage: Stage) -> None:
    stage.chat.before_text = [ApplicationError("slow down", next_retry_delay=timedelta(seconds=0.5))]
    began = time.monotonic()
    assert (await stage.reply(text="Hello.")).text == "sent"
    assert time.monotonic() - began >= 0.5


class Mute(Chat):
    """A platform whose first text arrives, and never returns."""

    async def send_text(self, to: Address, text: MessageText) -> str:
        message = await super().send_text(to, text)
        if len(self.texts) == 1:
            await asyncio.sleep(60)
        return message


@pytest.mark.slow
@pytest.mark.parametrize(("repeatable", "sent", "text"), [(False, 1, "uncertain"), (True, 2, "sent")])
async def test_a_worker_that_is_not_heard_of_again_while_it_writes(
    dev_server: WorkflowEnvironment, repeatable: bool, sent: int, text: str
) -> None:
    stage = Stage(dev_server.client, Mute(repeatable=repeatable))
    async with working(stage):
        delivered = await stage.reply(attempt_seconds=0.5, text="Hello.", speech=await stage.spoken(1))
    assert (delivered.text, delivered.voice, len(stage.chat.voices)) == (text, "sent", 1)
    assert delivered.error is (None if repeatable else ErrorCode.REPLY_UNCERTAIN)
    assert len(stage.chat.texts) == sent


class Hangs(Chat):
    """A platform whose first voice note arrives, and never returns."""

    async def send_voice(self, to: Address, voice: VoiceNote) -> str | None:
        await super().send_voice(to, voice)
        if len(self.voices) == 1:
            await asyncio.sleep(60)
        return "v"


@pytest.mark.slow
@pytest.mark.parametrize(("repeatable", "sent", "voice"), [(False, 1, "uncertain"), (True, 2, "sent")])
async def test_a_worker_that_is_not_heard_of_again(
    dev_server: WorkflowEnvironment, repeatable: bool, sent: int, voice: str
) -> None:
    stage = Stage(dev_server.client, Hangs(repeatable=repeatable))
    async with working(stage):
        # The attempt ends long before its next beat is due: only what was told at once is known.
        delivered = await stage.reply(attempt_seconds=1, text="Hello.", speech=await stage.spoken(1))
    assert (delivered.text_message, delivered.voice) == ("m1", voice)
    assert delivered.audio is not None
    assert (len(stage.chat.texts), len(stage.chat.voices)) == (1, sent)


async def test_long_speech_ends_at_a_sentence(dev_server: WorkflowEnvironment) -> None:
    async with working(Stage(dev_server.client, max_seconds=5)) as stage:
        delivered = await stage.reply(speech=await stage.spoken(2, 2, 2))
    assert delivered.audio is not None
    assert delivered.audio.seconds == pytest.approx(4.3, abs=0.03)


async def test_large_speech_ends_at_a_sentence(dev_server: WorkflowEnvironment) -> None:
    async with working(Stage(dev_server.client, max_bytes=30_000)) as stage:
        delivered = await stage.reply(speech=await stage.spoken(2, 2, 2, 2))
    assert delivered.audio is not None
    assert delivered.audio.bytes <= 30_000
    assert delivered.audio.seconds == pytest.approx(4.3, abs=0.03)


async def test_a_single_endless_sentence_is_cut(dev_server: WorkflowEnvironment) -> None:
    async with working(Stage(dev_server.client, max_seconds=3)) as stage:
        delivered = await stage.reply(speech=await stage.spoken(4))
    assert delivered.audio is not None
    assert delivered.audio.seconds == pytest.approx(3, abs=0.01)


async def test_no_note_is_small_enough(dev_server: WorkflowEnvironment) -> None:
    async with working(Stage(dev_server.client, max_bytes=10)) as stage:
        delivered = await stage.reply(text="Hello.", speech=await stage.spoken(1))
    assert (delivered.voice, delivered.error, delivered.audio) == ("none", ErrorCode.VOICE_UNAVAILABLE, None)


async def test_lost_speech_leaves_the_text(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "STORE_ATTEMPTS", 2)
    speech = await stage.spoken(1)
    await stage.blobs.delete_chat("chat", "1")
    delivered = await stage.reply(text="Hello.", speech=speech)
    assert (delivered.text_message, delivered.voice, delivered.error) == ("m1", "none", ErrorCode.VOICE_UNAVAILABLE)


async def test_speech_that_is_there_again_is_sent_and_the_text_once(stage: Stage) -> None:
    speech = await stage.spoken(1)
    away = await stage.blobs.get(speech[0])
    await stage.blobs.delete_chat("chat", "1")

    async def put_back() -> None:
        await until(lambda: stage.chat.texts)
        await stage.stored(away, 1)

    replying, _ = await asyncio.gather(stage.reply(text="Hello.", speech=speech, initial_seconds=0.5), put_back())
    assert (stage.chat.texts, replying.voice, replying.error) == (["Hello."], "sent", None)


async def test_speech_that_is_no_opus_leaves_the_text(stage: Stage) -> None:
    speech = [*await stage.spoken(1), await stage.stored(make.tone(1, RATE), 1)]
    assert (await stage.reply(text="Hello.", speech=speech)).error == ErrorCode.VOICE_UNAVAILABLE


async def test_a_single_sentence_of_too_many_bytes_is_cut(dev_server: WorkflowEnvironment) -> None:
    async with working(Stage(dev_server.client, max_bytes=10_000)) as stage:
        delivered = await stage.reply(speech=await stage.spoken(4))
    assert delivered.audio is not None
    assert 8_000 < delivered.audio.bytes <= 10_000
    (voice,) = stage.chat.voices
    assert seconds_of(decode(voice.data, 60)) == pytest.approx(delivered.audio.seconds, abs=0.03)


def test_sentences_are_taken_while_they_fit() -> None:
    ref = BlobRef(key="k", mime="m", bytes=10, seconds=1, sample_rate=1)
    assert len(within([ref] * 5, 3, 50)) == 3
    assert len(within([ref] * 5, 2.9, 50)) == 2
    assert len(within([ref] * 5, 5, 49)) == 4
    assert len(within([ref] * 5, 0.5, 50)) == 1
    assert within([], 5, 50) == []


def test_what_an_attempt_of_010_has_recorded_is_understood() -> None:
    """Details of heartbeats as june 0.1.0 wrote them: a reply may be under way while june is updated."""
    audio = BlobRef(key="k", mime="audio/ogg", bytes=10, seconds=1, sample_rate=48_000)
    nothing = {"text_begun": False, "text_message": None, "voice": None, "captioned": False}
    assert Ledger.model_validate(nothing) == Ledger()
    begun = Ledger.model_validate(nothing | {"text_begun": True})
    assert (begun.text.state, begun.voice.state) == (PartState.BEGUN, PartState.PENDING)
    speaks = nothing | {"text_begun": True, "text_message": "m1", "voice": audio.model_dump()}
    both = Ledger.model_validate(speaks)
    assert (both.text.state, both.text.message) == (PartState.SENT, "m1")
    assert (both.voice.state, both.voice.audio, both.captioned) == (PartState.BEGUN, audio, False)
    captioned = Ledger.model_validate(nothing | {"voice": audio.model_dump(), "captioned": True})
    assert (captioned.text.state, captioned.voice.state, captioned.captioned) == ("pending", "begun", True)
    assert Ledger.model_validate(captioned.model_dump(mode="json")) == captioned
