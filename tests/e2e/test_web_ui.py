"""The Web UI reads like a conversation: its messages below it, and what was said in the details of each."""

from pathlib import Path

import pytest

from tests.e2e.test_real_engines import LIGHT, TERSE
from tests.support.chat import Chat
from tests.support.chromium import chromium, needs_chromium
from tests.support.web_ui import WebUi
from workers.local.stack import Embedded
from workflows.names import conversation_id, voice_message_id

pytestmark = [pytest.mark.e2e, pytest.mark.engines, needs_chromium]


async def test_people_read_the_conversation_and_each_message(real: Embedded, tmp_path: Path) -> None:
    chat = Chat(real)
    await chat.open(TERSE)
    messages = [await chat.send(LIGHT.read_bytes()) for _ in range(2)]
    results = [await chat.result(message) for message in messages]
    conversation = conversation_id("file", chat.name)
    turns = [voice_message_id("file", chat.name, message) for message in messages]
    assert real.ui_url
    async with chromium() as browser:
        page = WebUi(browser, real.ui_url, tmp_path)
        tree = await page.relationships(conversation, turns[1], "relationships")
        assert all(turn in tree for turn in turns)
        said = await page.details(conversation, "2 turns", "conversation")
        listed = await page.list(turns[1], "list")
        for turn, result in zip(turns, results, strict=True):
            read = await page.details(turn, "Heard", turn.rsplit("/", 1)[-1])
            assert result.transcript in read
            assert result.transcript in said
            assert "transcribe" in read
            assert turn in listed
