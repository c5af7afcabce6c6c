"""Temporal's Web UI shows what is encrypted, through june's codec server, and nothing of it without."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.values import AudioSource
from bots.intake import accept
from tests.conftest import TEMPORAL
from tests.support.chat import eventually
from tests.support.chromium import chromium, needs_chromium
from tests.support.encryption import CONVERTER, keys_of_tests
from tests.support.ports import free_port
from tests.support.web_ui import WebUi
from tests.support.world import PLATFORM, World, running
from workers.encryption.codec import EncryptionCodec
from workers.encryption.codec_server import codec_routes
from workers.http import listen, serving
from workflows.names import SEARCH_ATTRIBUTES, conversation_id, voice_message_id
from workflows.voice.contracts import VoiceMessageRequest
from workflows.voice.voice_message import VoiceMessage

pytestmark = [pytest.mark.e2e, needs_chromium]

SAID, NAME = "Chrysanthemum tea", "Ottoline"


@asynccontextmanager
async def server(ui_port: int, codec: str) -> AsyncIterator[Client]:
    """Temporal with its Web UI, which reads through a codec server; a june of scripted activities has answered."""
    arguments = ["--ui-codec-endpoint", codec] if codec else []
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        dev_server_startup_timeout=timedelta(seconds=60),
        dev_server_extra_args=arguments,
        search_attributes=list(SEARCH_ATTRIBUTES),
        data_converter=CONVERTER,
        ui=True,
        ui_port=ui_port,
    )
    async with environment:
        yield environment.client


async def converse(client: Client) -> None:
    """Answer one message, whose transcript is what was said."""
    audio = AudioSource(locator=SAID)
    await accept(client, VoiceMessageRequest(platform=PLATFORM, chat="1", message="m", sender=NAME, audio=audio))
    turn = client.get_workflow_handle_for(VoiceMessage.run, voice_message_id(PLATFORM, "1", "m"))
    assert (await eventually(turn.result)).status == "answered"


async def raw_page(browser: Browser, url: str) -> str:
    """Read a page of the Web UI once it shows the workflow."""
    page = await browser.new_page()
    await page.goto(url, wait_until="domcontentloaded")
    await page.get_by_text("VoiceMessage").first.wait_for()
    await asyncio.sleep(2)  # for what would be read late
    text = await page.locator("body").inner_text()
    await page.close()
    return text


async def test_people_read_what_was_said(tmp_path: Path) -> None:
    listener, ui_port = listen("127.0.0.1", 0, str), free_port()
    codec, ui = f"http://127.0.0.1:{listener.getsockname()[1]}/codec", f"http://127.0.0.1:{ui_port}"
    allowed = Middleware(
        CORSMiddleware, allow_origins=[ui], allow_methods=["POST"], allow_headers=["*"], allow_credentials=True
    )
    app = Starlette(routes=codec_routes(EncryptionCodec(keys_of_tests())), middleware=[allowed])
    turn = voice_message_id(PLATFORM, "1", "m")
    async with serving(app, listener), server(ui_port, codec) as client, running(client, World()):
        await converse(client)
        async with chromium() as browser:
            page = WebUi(browser, ui, tmp_path)
            assert SAID in await page.details(turn, f"You said {SAID}.", "turn")
            assert SAID in await page.details(conversation_id(PLATFORM, "1"), SAID, "conversation")
    assert (tmp_path / "turn.png").stat().st_size > 10_000


async def test_without_the_codec_server_they_read_nothing() -> None:
    ui_port = free_port()
    async with server(ui_port, "") as client, running(client, World()):
        await converse(client)
        async with chromium() as browser:
            found = await client.get_workflow_handle(voice_message_id(PLATFORM, "1", "m")).describe()
            workflows = f"http://127.0.0.1:{ui_port}/namespaces/default/workflows"
            path = f"{workflows}/{found.id.replace('/', '%2F')}/{found.run_id}"
            for view in (workflows, f"{path}/history", f"{path}/user-metadata"):
                text = await raw_page(browser, view)
                assert SAID not in text
                assert NAME not in text
