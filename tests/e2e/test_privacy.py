"""What people say, write and are called, and what june answers, is in no file, trace, metric, id or argument.

The sounds themselves lie in the audio store as they were sent; the outbox of platform ``file`` is the delivery itself.
"""

import asyncio
import os
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecution

from bots import access
from bots.access import Policy
from bots.intake import accept, result_of
from tests.e2e.test_real_engines import JFK
from tests.support.chat import PLATFORM, Chat
from tests.support.encryption import keys_of, opened_history
from tests.support.model_server import model_server, refused, said
from tests.support.planted_words import arguments_below, files_of, words_in
from tests.support.platforms.telegram import BotApi
from tests.support.telegram_bot import OWNER, BotProcess
from tests.support.trace_collector import Collector
from tests.support.waiting import until
from tests.workers.conftest import prepared_home
from workers.encryption.codec import data_converter
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.ports import PORTS_PER_WORKER
from workers.roles.role import OPTIONAL, Role
from workers.settings import EmbeddedSettings, LlmSettings, TelemetrySettings
from workflows.access.contracts import AccessChange, Arrival, Permission
from workflows.access.workflow import Access
from workflows.names import access_id
from workflows.voice.contracts import ChatSettings, ReplyMode, VoiceMessageRequest

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

SPOKEN = ("fellow Americans", "your country")
TYPED, NAME, PROMPT, QUOTED, GROUP = "quokkabloom", "Zdeňka Vörösmarty", "marmaladewharf", "tundrapickle", "Plumfjord"
ANSWER, ECHOED = "periwinklegate", "gherkinlantern"
INVALID = "sprocketmoss"
TEXTED, SENDER, UNREADABLE = "gossamerfinch", "Pellegrinetta", "wobblethicket"
SAID = (*SPOKEN, TYPED, NAME, PROMPT, QUOTED, GROUP, ANSWER, ECHOED, INVALID, TEXTED, SENDER)
WORDS = (*SAID, UNREADABLE)


@dataclass
class Seen:
    """All that is left of a day with june."""

    home: Path
    files: dict[str, bytes] = field(default_factory=dict)
    """While it ran, and after its end."""
    traces: bytes = b""
    metrics: bytes = b""
    arguments: bytes = b""
    executions: list[WorkflowExecution] = field(default_factory=list)
    histories: bytes = b""
    """As the server has them."""
    opened: bytes = b""
    """As people with the key read them."""

    def read_files(self, when: str) -> None:
        """Read every file of the home but what june delivered, and models."""
        for path in files_of(self.home, but=[self.home / "outbox"]):
            self.files[f"{when}: {path.relative_to(self.home)}"] = path.read_bytes()


@pytest.fixture(scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A june whose users plant words, in turns that end well and in every way that fails."""
    storage, ports, collector = prepared_home(tmp_path_factory.mktemp("private") / "home"), own_ports(), Collector()
    left = Seen(storage.home)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JUNE_OTLP_URL", collector.url)
        # This process makes no spans: its tracer, set once, would be that of all tests after.
        environment.setattr("workers.local.stack.TelemetrySettings", lambda: TelemetrySettings(otlp_url=""))
        environment.delenv("JUNE_ENCRYPTION_KEY_FILE", raising=False)
        async with model_server() as double:
            double.plays(said(f"Indeed: {ANSWER}."))
            async with Embedded(storage, ports, LlmSettings(base_url=double.url, model="double"), optional=()) as stack:
                await plant_on_telegram(stack)
                await plant(stack, double.plays)
                left.metrics = scraped(ports)
                left.arguments = arguments_below(os.getpid())
                await read_server(stack, left)
                left.read_files("running")
    collector.close()
    left.traces = b"".join(collector.bodies)
    left.read_files("stopped")
    return left


async def plant(stack: Embedded, plays: object) -> None:
    """Speak, write, be called something, set a prompt; have the model's server quote it, and a message be invalid."""
    assert callable(plays)
    chat = Chat(stack)
    await chat.open(ChatSettings(system_prompt=f"Say {PROMPT}.", reply_mode=ReplyMode.ALWAYS))
    spoken = await chat.ask(JFK.read_bytes())
    assert spoken.status == "answered"
    assert all(words in spoken.transcript for words in SPOKEN)
    sender = {"user": "7", "sender": NAME, "shared": True, "quoted": QUOTED}
    for message, text in (("typed", TYPED), ("refused", ECHOED)):
        if message == "refused":
            plays(refused(400, f"cannot answer {ECHOED} of {NAME}"))
        request = VoiceMessageRequest.model_validate(
            {"platform": PLATFORM, "chat": chat.name, "message": message, "text": text} | sender
        )
        await accept(stack.client, request)
        result = await chat.result(message)
        assert result.status == ("failed" if message == "refused" else "answered")
    await access.count(stack.client, PLATFORM, Arrival(user="7", name=NAME))
    people = stack.client.get_workflow_handle_for(Access.run, access_id(PLATFORM))
    await people.execute_update(Access.change, AccessChange(id="-9", standing=Permission.ALLOWED, name=GROUP))
    # A message that is none: its validation quotes it, in an activity's failure and in what the SDK logs.
    await chat.conversation.signal("message", {"platform": PLATFORM, "text": {"said": INVALID}})
    wrong = await stack.client.start_workflow(
        "VoiceMessage", {"text": [INVALID]}, id=f"voice/{uuid4().hex}", task_queue="june"
    )

    async def failed_once() -> bool:
        return INVALID.encode() in str((await opened_history(wrong)).events).encode()

    await until(failed_once)
    await asyncio.to_thread(until_logged, stack.home)
    assert (await access.read(stack.client, PLATFORM, Policy())).view.names.get("-9") == GROUP


async def plant_on_telegram(stack: Embedded) -> None:
    """Write to the bot, be a person whom it does not know, and send what it cannot read."""
    async with BotApi() as api:
        bot = BotProcess(api, stack, JUNE_OTLP_URL=os.environ["JUNE_OTLP_URL"], JUNE_LOG_LEVEL="INFO")
        await bot.start()
        try:
            owner: dict[str, Any] = {"from": {"id": OWNER, "is_bot": False, "first_name": SENDER}}
            stranger: dict[str, Any] = {"from": {"id": 200, "is_bot": False, "first_name": SENDER}}
            message = api.write(OWNER, TEXTED, **owner)
            assert (await result_of(stack.client, "telegram", str(OWNER), str(message))).status == "answered"
            api.write(200, TEXTED, user=200, **stranger)
            api.push({"message": {"message_id": UNREADABLE, "text": UNREADABLE}})
            last = api.write(OWNER, f"/status {TEXTED}")

            async def answered() -> bool:
                return bool(api.by_bot(200)) and any(post.answers == last for post in api.by_bot(OWNER))

            await until(answered)
        finally:
            assert await bot.stop() == 0


def until_logged(home: Path) -> None:
    """Check that the failures have reached the logs, by their codes."""
    logs = b"".join(path.read_bytes() for path in (home / "logs").iterdir())
    assert b"model-refused" in logs


async def read_server(stack: Embedded, left: Seen) -> None:
    """Keep what the server answers: executions as they are listed, histories as they lie there and opened."""
    left.executions = [execution async for execution in stack.client.list_workflows()]
    for execution in left.executions:
        handle = stack.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        left.histories += b"".join(e.SerializeToString() for e in (await handle.fetch_history()).events)
        left.opened += b"".join(e.SerializeToString() for e in (await opened_history(handle)).events)


def scraped(ports: EmbeddedSettings) -> bytes:
    """Read the metrics of every worker."""
    found = b""
    for index, role in enumerate(Role):
        if role not in OPTIONAL:
            url = f"http://127.0.0.1:{ports.worker_port_base + PORTS_PER_WORKER * index}/metrics"
            found += urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10).read()
    return found


def test_the_words_were_there(seen: Seen) -> None:
    assert words_in(seen.opened, WORDS) == set(SAID)
    delivered = b"".join(path.read_bytes() for path in (seen.home / "outbox").rglob("*.txt"))
    assert words_in(delivered, WORDS) >= {ANSWER}


def test_no_file_has_them(seen: Seen) -> None:
    names = {name.partition(": ")[2] for name in seen.files}
    assert {"temporal.db", "keys.json"} <= names
    assert {"running: temporal.db-wal"} <= seen.files.keys()
    assert len([name for name in names if name.startswith("logs/")]) >= 4
    found = {name: words_in(data, WORDS) for name, data in seen.files.items()}
    assert {name: words for name, words in found.items() if words} == {}
    assert {name for name in seen.files if words_in(name.encode(), WORDS)} == set()


def test_the_server_has_them_nowhere(seen: Seen) -> None:
    assert words_in(seen.histories, WORDS) == set()
    listed = "\n".join(str(execution.raw_info) for execution in seen.executions)
    assert words_in(listed.encode(), WORDS) == set()
    assert {execution.workflow_type for execution in seen.executions} == {"Access", "Conversation", "VoiceMessage"}


def test_traces_metrics_and_arguments_are_without_them(seen: Seen) -> None:
    assert b"RunActivity:infer" in seen.traces
    assert b"june_stage_seconds" in seen.metrics
    assert b"start-dev" in seen.arguments
    for data in (seen.traces, seen.metrics, seen.arguments):
        assert words_in(data, WORDS) == set()


def test_the_keys_are_the_owners_alone(seen: Seen) -> None:
    assert (seen.home / "keys.json").stat().st_mode & 0o777 == 0o600
    assert data_converter(keys_of(seen.home)).payload_codec
    secret = seen.files["stopped: keys.json"].decode().split('"secret": "')[1].split('"')[0]
    for name, data in seen.files.items():
        assert secret.encode() not in data or name.endswith("keys.json")
