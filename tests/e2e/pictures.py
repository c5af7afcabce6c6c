"""Take the documentation's pictures of Temporal's Web UI anew: ``make pictures`` (needs Chromium)."""

import asyncio
import tempfile
from pathlib import Path

from temporalio.client import Client

from activities.audio.codec import encode_ogg_opus
from activities.testruns.selection import Selection
from tests.support.chromium import chromium
from tests.support.web_ui import WebUi
from workers.clients.testruns import ended, start_run
from workers.engines.piper import PiperSynthesizer
from workers.local.free_ports import own_ports
from workers.local.session import QUESTION, Session, talk
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, PiperSettings, StorageSettings
from workflows.names import TEST_RUN, conversation_id
from workflows.testruns.contracts import RunRequest

FOLDER = PROJECT / "docs" / "images"


async def take() -> None:
    """Hold a conversation of two turns with the default model, run the integration tests, and look at them."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").symlink_to(StorageSettings().models)
        storage = StorageSettings(home=home)
        async with Embedded(storage, own_ports(), optional=[Role.TESTS, Role.WEB]) as stack, chromium() as browser:
            assert stack.ui_url
            session = Session.of(stack)
            follow_up = home / "follow-up.ogg"
            follow_up.write_bytes(await asyncio.to_thread(spoken, "And how many people live there?"))
            turns = [await talk(session, file, "garden", home / "reply.ogg") for file in (QUESTION, follow_up)]
            page = WebUi(browser, stack.ui_url, FOLDER)
            await page.details(conversation_id("file", "garden"), "2 turns", "conversation")
            await page.relationships(conversation_id("file", "garden"), turns[0].workflow_id, "messages")
            await page.details(turns[0].workflow_id, "Heard", "turn")
            await page.list(turns[1].workflow_id, "list")
            await picture_runs(stack.client, page)


async def picture_runs(client: Client, page: WebUi) -> None:
    """Run the integration tests in several ways, and look at their list and at one run's details."""
    whole = await start_run(client, RunRequest(parallel=2), "nightly-1")
    await ended(client.get_workflow_handle(whole))
    await page.details(whole, "test_memory.py", "test-run")
    for name, tests in (("memory", "test_memory.py"), ("misspelt", "test_memery.py"), ("stopped", "test_latency.py")):
        run = await start_run(client, RunRequest(selection=Selection(tests=(tests,))), name)
        if name == "stopped":
            await client.get_workflow_handle(run).cancel()
        await ended(client.get_workflow_handle(run))
    last = await start_run(client, RunRequest(), "nightly-2")
    await page.list(last, "test-runs", f'WorkflowType="{TEST_RUN}"')
    await client.get_workflow_handle(last).cancel()
    await ended(client.get_workflow_handle(last))


def spoken(text: str) -> bytes:
    """Speak a question."""
    sound = PiperSynthesizer(PiperSettings(), StorageSettings()).synthesize(text, "en", None)
    return encode_ogg_opus(sound.samples.tobytes(), sound.sample_rate, 32_000)


if __name__ == "__main__":
    asyncio.run(take())
