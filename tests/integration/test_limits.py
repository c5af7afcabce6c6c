"""Limits: what cannot be answered gets its code and its sender is told; a flood is refused, once."""

from collections.abc import Callable

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.values import AudioSource
from tests.integration.chat import TERSE, OwnChat
from tests.support.audio_samples import silence, wav
from tests.support.chat import PLATFORM
from tests.support.waiting import until
from workers.settings import AudioSettings
from workflows.voice.contracts import Limits, VoiceMessageRequest

BAD: dict[str, Callable[[], bytes]] = {
    "audio-unreadable": lambda: b"This is not audio. " * 100,
    "audio-empty": lambda: b"",
    "no-speech": lambda: wav(silence(3)),
    "audio-too-large": lambda: bytes(AudioSettings().max_bytes + 1),
    "audio-too-long": lambda: wav(silence(AudioSettings().max_seconds + 1, 8_000), 8_000),
}
"""Codes, and recordings that get them."""
FORBIDDEN = AudioSource(locator="../../../../etc/passwd")
CLAIMED = AudioSource(locator="blob:nothing", claimed_bytes=10**12)


@pytest.mark.parametrize("code", BAD)
async def test_a_recording_that_cannot_be_answered_gets_its_code(chat: OwnChat, code: str) -> None:
    await refused(chat, await chat.send(BAD[code]()), code)


@pytest.mark.parametrize(
    ("source", "code"), [(FORBIDDEN, "audio-forbidden"), (CLAIMED, "audio-too-large")], ids=["forbidden", "claimed"]
)
async def test_what_is_not_to_be_read_is_not_read(chat: OwnChat, source: AudioSource, code: str) -> None:
    request = VoiceMessageRequest(platform=PLATFORM, chat=chat.name, message="1", audio=source)
    await refused(chat, await chat.accepted(request), code)


async def refused(chat: OwnChat, message: str, code: str) -> None:
    """See that a turn ends with a code, and that the sender is told, once."""
    result = await chat.result(message)
    assert (result.status, result.error, result.answer) == ("refused", code, "")
    assert [ran.completed for ran in await chat.ran(message) if ran.name == "reply"] == [1]


async def test_a_flood_is_refused_once(new_chat: OwnChat) -> None:
    chat = new_chat
    await chat.open(TERSE, Limits(messages_per_minute=1))
    first = await chat.say("Say hello.")
    flood = [await chat.say("Say hello.") for _ in range(3)]
    await chat.answer(first)

    async def said() -> bool:
        return len([notice for notice in await chat.told() if "rate-limited" in notice]) == 1

    await until(said)
    for message in flood:
        with pytest.raises(RPCError) as failure:
            await chat.turn(message).describe()
        assert failure.value.status is RPCStatusCode.NOT_FOUND
    assert await said()
