"""Temporal's command line reads what was said through the codec server of the page, by the page's password."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.intake import accept
from tests.conftest import TEMPORAL
from tests.support.chat import PLATFORM, Chat
from workers.local.free_ports import own_ports, own_web
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import StorageSettings, WorkerSettings
from workflows.names import voice_message_id
from workflows.voice.contracts import VoiceMessageRequest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SAID, PASSWORD = "Chrysanthemum tea", "open sesame"


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Embedded]:
    """Everything but the engines, with a page that asks for a password."""
    web = own_web().model_copy(update={"password": SecretStr(PASSWORD)})
    work = WorkerSettings(engines="none")
    async with Embedded(StorageSettings(home=tmp_path), own_ports(), work=work, web=web, optional=[Role.WEB]) as stack:
        yield stack


async def shown(stack: Embedded, workflow: str, *options: str) -> str:
    """Return what ``temporal workflow show`` prints."""
    command = [str(TEMPORAL), "workflow", "show", "--detailed", "--workflow-id", workflow, "--address", stack.address]
    process = await asyncio.create_subprocess_exec(
        *command, *options, env=os.environ | {"TEMPORAL_CONFIG_FILE": os.devnull}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_it_reads_through_the_codec_server(stack: Embedded) -> None:
    message = VoiceMessageRequest(platform=PLATFORM, chat="a", message="1", text=SAID)
    await accept(stack.client, message)
    await Chat(stack, "a").result("1")
    turn, codec = voice_message_id(PLATFORM, "a", "1"), ("--codec-endpoint", f"{stack.ui_url}/codec")
    assert SAID not in await shown(stack, turn)
    assert SAID in await shown(stack, turn, *codec, "--codec-auth", f"Bearer {PASSWORD}")
