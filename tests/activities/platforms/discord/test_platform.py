"""The Discord platform: what it sends, and what it makes of refusals."""

import base64
import dataclasses

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import Document, MessageText, VoiceForbiddenError
from activities.text.message_parts import units
from activities.values import AudioSource
from tests.activities.platforms.discord.conftest import NOTE, Scene
from tests.support.logs import june_records
from tests.support.long_answer import ANSWER, CODE, QUESTION, READ, words
from tests.support.platforms.discord import Fault
from tests.support.platforms.discord_world import SUPPRESS_EMBEDS, VOICE_FLAG


async def test_a_long_text_is_split_and_the_first_part_replies(scene: Scene) -> None:
    last = await scene.platform.send_text(scene.to, MessageText("word " * 900))
    sent = scene.fake.sent(scene.chat)
    assert [len(message["content"]) <= 2000 for message in sent] == [True] * 3
    assert ["message_reference" in message for message in sent] == [True, False, False]
    assert last == sent[-1]["id"]


async def test_sending_again_leaves_one_message(scene: Scene) -> None:
    first = [
        await scene.platform.send_text(scene.to, MessageText("hello")),
        await scene.platform.send_voice(scene.to, NOTE),
    ]
    again = [
        await scene.platform.send_text(scene.to, MessageText("hello")),
        await scene.platform.send_voice(scene.to, NOTE),
    ]
    assert first == again
    await scene.platform.send_text(scene.to, MessageText("another notice"))
    assert len(scene.fake.sent(scene.chat)) == 3


def second_attempt() -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=2)
    return environment


async def test_a_later_attempt_finds_what_was_sent_long_ago(scene: Scene) -> None:
    text = "word " * 500
    first = [
        await scene.platform.send_text(scene.to, MessageText(text)),
        await scene.platform.send_voice(scene.to, NOTE),
    ]
    scene.world.nonces.clear()  # as Discord does after some minutes
    environment = second_attempt()
    again = [await environment.run(scene.platform.send_text, scene.to, MessageText(text))]
    again.append(await environment.run(scene.platform.send_voice, scene.to, NOTE))
    assert (first, len(scene.fake.sent(scene.chat))) == (again, 3)
    await environment.run(scene.platform.send_text, scene.to, MessageText("something else"))
    assert len(scene.fake.sent(scene.chat)) == 4


async def test_a_file_is_sent_once_by_its_name(scene: Scene) -> None:
    files = [Document("sums.py", b"def add(): ..."), Document("test_sums.py", b"from sums import add")]
    first = [await scene.platform.send_file(scene.to, file) for file in files]
    assert [await scene.platform.send_file(scene.to, file) for file in files] == first
    sent = scene.fake.sent(scene.chat)
    assert [(message["attachments"][0]["filename"], scene.fake.file(message)) for message in sent] == [
        (file.name, file.data) for file in files
    ]
    assert [message["message_reference"]["message_id"] for message in sent] == [scene.to.message] * 2
    scene.world.nonces.clear()  # as Discord does after some minutes
    again = [await second_attempt().run(scene.platform.send_file, scene.to, file) for file in files]
    assert (again, len(scene.fake.sent(scene.chat))) == (first, 2)


async def test_a_file_that_discord_refuses_is_refused(scene: Scene) -> None:
    with pytest.raises(BadInputError):
        await scene.platform.send_file(scene.to, Document("large.zip", b"x" * (scene.platform.file_limit + (1 << 20))))
    scene.world.no_files[scene.chat] = 50013
    with pytest.raises(BadInputError):
        await scene.platform.send_file(scene.to, Document("sums.py", b"1"))
    assert scene.fake.sent(scene.chat) == []


async def test_a_voice_message_is_native(scene: Scene) -> None:
    await scene.platform.send_voice(scene.to, NOTE)
    (sent,) = scene.fake.voices(scene.chat)
    (file,) = sent["attachments"]
    points = base64.b64decode(file["waveform"])
    assert (file["duration_secs"], file["content_type"], len(points)) == (2.0, "audio/ogg", 20)
    assert min(points[1:9]) > 200
    assert max(points[12:]) < 20
    assert scene.fake.file(sent) == NOTE.data


async def test_a_person_is_written_to_in_private(scene: Scene) -> None:
    to = scene.to.model_copy(update={"chat": f"@{scene.person}"})
    assert await scene.platform.send_text(to, MessageText("hello")) == scene.fake.sent(scene.chat)[0]["id"]
    with pytest.raises(BadInputError, match="50033"):
        await scene.platform.send_text(scene.to.model_copy(update={"chat": "@1"}), MessageText("hello"))


async def test_a_message_that_is_gone_is_answered_without_a_reference(scene: Scene) -> None:
    scene.world.messages[scene.chat].clear()
    first = await scene.platform.send_text(scene.to, MessageText("hello"))
    assert "message_reference" not in scene.fake.sent(scene.chat)[0]
    scene.world.nonces.clear()
    assert await second_attempt().run(scene.platform.send_text, scene.to, MessageText("hello")) == first


@pytest.mark.parametrize("code", [50173, 50013])
async def test_forbidden_voice_becomes_a_file_then_nothing(scene: Scene, code: int) -> None:
    scene.world.no_voice[scene.chat] = code
    await scene.platform.send_voice(scene.to, NOTE)
    (sent,) = scene.fake.sent(scene.chat)
    assert (sent["flags"] & VOICE_FLAG, sent["attachments"][0]["filename"]) == (0, "voice-message.ogg")
    other = scene.to.model_copy(update={"message": "1"})
    scene.world.no_files[scene.chat] = 50013
    with pytest.raises(VoiceForbiddenError):
        await scene.platform.send_voice(other, NOTE)


@pytest.mark.parametrize("code", [50007, 50278, 50001])
async def test_a_closed_chat_is_gone(scene: Scene, code: int) -> None:
    scene.world.closed[scene.chat] = code
    for send in (scene.platform.send_text(scene.to, MessageText("hello")), scene.platform.send_voice(scene.to, NOTE)):
        with pytest.raises(BadInputError) as refused:
            await send
        assert refused.value.type == ErrorCode.CHAT_GONE.value
    with pytest.raises(BadInputError) as unknown:
        await scene.platform.send_text(scene.to.model_copy(update={"chat": "1"}), MessageText("hello"))
    assert unknown.value.type == ErrorCode.CHAT_GONE.value


@pytest.mark.slow
async def test_a_lost_answer_is_asked_again_by_the_library_and_leaves_one_message(scene: Scene) -> None:
    scene.fake.faults.append(Fault("POST", f"{scene.chat}/messages$", 502, after=True))
    await scene.platform.send_text(scene.to, MessageText("hello"))
    assert (len(scene.fake.sent(scene.chat)), scene.posts()) == (1, 2)


async def test_a_pause_is_kept_by_the_library_or_by_temporal(scene: Scene) -> None:
    path = f"{scene.chat}/messages$"
    scene.fake.faults.append(Fault("POST", path, 429, retry_after=0.1))
    await scene.platform.send_text(scene.to, MessageText("hello"))
    for fault in (Fault("POST", path, 429, retry_after=7, via=False), Fault("POST", path, 429, retry_after=300)):
        scene.fake.faults.append(fault)
        with pytest.raises(ApplicationError) as paused:
            await scene.platform.send_text(scene.to, MessageText("hello again"))
        assert paused.value.next_retry_delay
        assert paused.value.next_retry_delay.total_seconds() == fault.retry_after
        assert not paused.value.non_retryable


async def test_what_may_pass_is_for_temporal_to_repeat(scene: Scene) -> None:
    scene.fake.faults.append(Fault("POST", f"{scene.chat}/messages$", 503))
    with pytest.raises(ApplicationError) as passing:
        await scene.platform.send_voice(scene.to, NOTE)
    assert (passing.value.type, passing.value.category) == ("discord-unavailable", ApplicationErrorCategory.BENIGN)


async def test_a_recording_is_downloaded_by_a_fresh_link(scene: Scene) -> None:
    scene.world.links += 1
    assert await scene.platform.download(scene.source, 1000) == scene.voice.data
    scene.world.stale = 1
    assert await scene.platform.download(scene.source, 1000) == scene.voice.data
    scene.world.stale = 2
    with pytest.raises(BadInputError) as missing:
        await scene.platform.download(scene.source, 1000)
    assert missing.value.type == ErrorCode.AUDIO_MISSING.value
    scene.world.stale = 0


async def test_a_recording_is_not_read_beyond_the_cap(scene: Scene) -> None:
    with pytest.raises(BadInputError) as large:
        await scene.platform.download(scene.source, 99)
    assert large.value.type == ErrorCode.AUDIO_TOO_LARGE.value
    scene.asked["attachments"][0]["size"] = 10  # a lie
    assert len(await scene.platform.download(scene.source, 20)) == 21


@pytest.mark.parametrize("change", ["1/2/3", "{chat}/1/1", "{chat}/{message}/1"])
async def test_a_recording_that_is_not_there(scene: Scene, change: str) -> None:
    locator = change.format(chat=scene.chat, message=scene.to.message)
    with pytest.raises(BadInputError) as missing:
        await scene.platform.download(AudioSource(locator=locator), 1000)
    assert missing.value.type in {ErrorCode.AUDIO_MISSING.value, ErrorCode.CHAT_GONE.value}


@pytest.mark.parametrize("locator", ["1/2", "a/b/c", "1/2/3/4", "http://127.0.0.1/1/2"])
async def test_a_locator_is_three_numbers(scene: Scene, locator: str) -> None:
    with pytest.raises(BadInputError) as invalid:
        await scene.platform.download(AudioSource(locator=locator), 1000)
    assert invalid.value.type == ErrorCode.REQUEST_INVALID.value


async def test_parts_are_shown_as_what_they_are(scene: Scene) -> None:
    text = MessageText("# Yes\n\nSee https://example.com.", "what_is *this*?\n# a test", "I had to stop_here.")
    await scene.platform.send_text(scene.to, text)
    (sent,) = scene.fake.sent(scene.chat)
    quote = "> 🎤 what\\_is \\*this\\*?\n> \\# a test"
    assert sent["content"] == f"{quote}\n# Yes\n\nSee https://example.com.\n\n-# I had to stop\\_here."
    assert sent["flags"] == SUPPRESS_EMBEDS, "links are not unfolded"
    await scene.platform.send_text(scene.to, MessageText(notice="I'm here."))
    assert [(m["content"], m["flags"]) for m in scene.fake.sent(scene.chat)][1:] == [("I'm here.", 0)]


async def test_a_message_of_june_s_own_is_retracted(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    message = await scene.platform.send_text(scene.to, MessageText(notice="You are next in line."))
    await scene.platform.retract(scene.to, message)
    assert not scene.fake.sent(scene.chat)
    await scene.platform.retract(scene.to, message)
    scene.fake.faults.append(Fault("DELETE", "messages", 403))
    await scene.platform.retract(scene.to, message)
    assert {record.levelname for record in june_records(caplog)} <= {"INFO", "DEBUG"}


async def test_an_ordinary_failure_is_no_fault_of_june_s(scene: Scene) -> None:
    path = f"{scene.chat}/messages$"
    for fault in (Fault("POST", path, 429, retry_after=9, via=False), Fault("POST", path, 503)):
        scene.fake.faults.append(fault)
        with pytest.raises(ApplicationError) as failed:
            await scene.platform.send_text(scene.to, MessageText("hello"))
        assert failed.value.category is ApplicationErrorCategory.BENIGN
    scene.fake.faults.append(Fault("POST", path, 401))
    with pytest.raises(ApplicationError) as refused:
        await scene.platform.send_text(scene.to, MessageText("hello"))
    assert refused.value.category is not ApplicationErrorCategory.BENIGN
    assert not refused.value.non_retryable


async def test_a_long_answer_with_everything_is_readable(scene: Scene) -> None:
    await scene.platform.send_text(scene.to, MessageText(ANSWER, QUESTION))
    parts = [message["content"] for message in scene.fake.sent(scene.chat)]
    assert len(parts) == 3
    assert all(units(part) <= 2000 for part in parts)
    assert parts[0].startswith(f"> 🎤 {QUESTION}\n")
    assert sum(f"```python\n{CODE}\n```" in part for part in parts) == 1, "whole"
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert "Rise  4 h     25 °C" in parts[0]
    assert "|:---" not in "".join(parts)
    shown = words(" ".join(parts))
    assert [word for word in words(READ) if word not in shown] == []
