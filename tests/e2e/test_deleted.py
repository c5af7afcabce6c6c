"""What was said is in no byte of a home after /forget: database, its log, logs of every process, audio, replies."""

from pathlib import Path

import pytest

from activities.values import BLOB_SCHEME, AudioSource
from bots.access import Role
from bots.commands import Commands
from bots.intake import InboundMessage, accept, result_of
from tests.support.files import holding
from tests.support.waiting import until
from tests.workers.conftest import SMALL_MODEL, prepared_home
from workers.local import stack
from workers.local.free_ports import own_ports
from workers.local.session import QUESTION, Session
from workers.local.stack import Embedded
from workers.settings import LlmSettings
from workflows.voice.contracts import VoiceMessageRequest

pytestmark = pytest.mark.e2e

WORD = "Xylophonquark"
WITHIN_SECONDS = 60.0


async def test_what_was_said_is_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "START_SECONDS", 300)
    storage = prepared_home(tmp_path / "home")
    async with Embedded(storage, own_ports(), LlmSettings(model=SMALL_MODEL), optional=()) as june:
        session, client, chat = Session.of(june), june.client, "garden"
        audio = await session.upload(QUESTION, chat)
        spoken = VoiceMessageRequest(platform="file", chat=chat, message="1", audio=audio, remark=f"It is {WORD}.")
        written = VoiceMessageRequest(platform="file", chat=chat, message="2", text=f"Say {WORD} three times.")
        missing = AudioSource(locator=f"{BLOB_SCHEME}file/{chat}/{WORD}")
        failing = VoiceMessageRequest(platform="file", chat=chat, message="3", audio=missing, remark=WORD)
        results = []
        for request in (spoken, written, failing):
            await accept(client, request)
            results.append(await result_of(client, "file", chat, request.message))
        assert [result.status for result in results] == ["answered", "answered", "refused"]
        heard = results[0].transcript
        held = holding(storage.home, WORD)
        assert [name for name in held if name.startswith("logs/")] == []
        assert holding(storage.home, heard)
        inbound = InboundMessage(platform="file", chat=chat, message="4", user="u")
        await Commands(client, (), 24).run(inbound, Role.OWNER, "forget", "")
        await until(lambda: not holding(storage.home, heard), WITHIN_SECONDS)
        assert not list((storage.home / "outbox").rglob("*.ogg"))
        assert not list((storage.home / "blobs").rglob("*.*"))
    assert not holding(storage.home, heard)
