"""june's application in the double of another project (tg-auto-test): voice in, text and voice out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tg_auto_test.test_utils.serverless_telegram_client import ServerlessTelegramClient

from tests.e2e.conftest import without_engines
from tests.support.audio_samples import encoded
from workers.embedding.telegram_application import build_application
from workers.engines.noop import ANSWER

pytestmark = pytest.mark.e2e

USER = 9001


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServerlessTelegramClient]:
    """A person; the double knows one chat alone, so june has no work of others."""
    async with without_engines(tmp_path) as stack:
        monkeypatch.setenv("JUNE_HOME", str(stack.home))
        monkeypatch.setenv("TEMPORAL_ADDRESS", stack.address)
        monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("JUNE_TELEGRAM_USERS", str(USER))
        client = ServerlessTelegramClient(build_application, user_id=USER, bot_username="june_test_bot")
        await client.connect()
        yield client
        await client.disconnect()


async def test_a_conversation(client: ServerlessTelegramClient) -> None:
    async with client.conversation("june_test_bot") as conversation:
        await conversation.send_message("/start")
        assert (await conversation.get_response()).text
        await conversation.send_file(encoded("ogg", "libopus"), voice_note=True)
        text = await conversation.get_response()
        assert text.text == f"🎤 This is a question.\n\n{ANSWER}"
        voice = await conversation.get_response()
        assert voice.voice is not None
        assert (await voice.download_media(file=bytes))[:4] == b"OggS"
        await conversation.send_message("And now?")
        assert (await conversation.get_response()).text == ANSWER
