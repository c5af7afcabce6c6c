"""What is deleted leaves the files: of a living server, of one whose files are old, and nobody else's."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.blobs import BlobStore
from activities.forget import ForgetActivity
from activities.platforms.file import Outbox
from bots.access import Role
from bots.commands import Commands
from bots.intake import InboundMessage, accept, result_of
from tests.support.files import holding
from tests.support.page_client import chat_of, opened, page_of
from tests.support.waiting import until
from tests.support.world import World, running
from workers.encryption.source import Keys
from workers.local import database
from workers.local.database import PRAGMAS, Database, keep_clean, main, prepare
from workers.local.free_ports import own_ports
from workers.local.programs import Programs
from workers.local.supervisor import Child, Program
from workers.settings import LlmSettings, StorageSettings, TelemetrySettings, WebSettings, WorkerSettings
from workers.temporal import connect
from workflows.names import conversation_id
from workflows.voice.contracts import VoiceMessageRequest

pytestmark = pytest.mark.slow

WORD = "Xylophonquark"
OTHER = "Zimbelkraut"
TURNS = 4
OLD_PRAGMAS = {name: PRAGMAS[name] for name in ("journal_mode", "synchronous")}
"""Of june 0.1.0."""


def server_of(home: Path, pragmas: dict[str, str] = PRAGMAS) -> tuple[Program, str]:
    """Return Temporal's server as june starts it in a home, and its address."""
    storage, ports = StorageSettings(home=home), own_ports()
    programs = Programs(storage, ports, LlmSettings(base_url="http://none"), WorkerSettings(), WebSettings(), ())
    program = next(iter(programs))
    options = {f"{name}={value}" for name, value in PRAGMAS.items() if name not in pragmas}
    words = list(program.command)
    for option in options:
        at = words.index(option)
        del words[at - 1 : at + 1]
    return replace(program, command=tuple(words)), programs.address


@asynccontextmanager
async def served(home: Path, pragmas: dict[str, str] = PRAGMAS) -> AsyncIterator[Client]:
    """Run the server in a home."""
    program, address = server_of(home, pragmas)
    child = Child(program, lambda: None)
    child.start()
    try:
        await child.ready(60)
        telemetry = TelemetrySettings(metrics_address="", otlp_url="")
        # Plain payloads: what is deleted is gone also where nothing is encrypted.
        yield await connect(telemetry, address=address, timeout_seconds=60, keys=Keys.none())
    finally:
        await child.stop()


@asynccontextmanager
async def cleaned(home: Path) -> AsyncIterator[None]:
    """Have june keep the database clean."""
    cleaning = asyncio.create_task(keep_clean(home / "temporal.db"))
    try:
        yield
    finally:
        cleaning.cancel()
        await asyncio.wait({cleaning})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "EVERY_SECONDS", 0.5)


@dataclass
class June:
    """A june without engines in a home, whose deletions are real."""

    home: Path
    client: Client
    blobs: BlobStore
    platform: str
    asked: int = 0

    async def ask(self, chat: str, said: str, thread: str | None = None) -> None:
        """Have some messages of a chat answered, each with a sound in the store and one in the outbox."""
        self.asked += 1  # the ids of messages are known over a /forget
        for number in range(TURNS):
            message = f"{thread or 'none'}-{self.asked}-{number}"
            text = f"{said} {number} " + "abcd " * (1, 60, 600)[number % 3]
            request = VoiceMessageRequest.model_validate(
                {"platform": self.platform, "chat": chat, "thread": thread, "message": message, "text": text}
            )
            await accept(self.client, request)
            await result_of(self.client, self.platform, chat, message)
            sound = f"{said} {thread} {number}".encode()
            await self.blobs.put(
                self.platform, chat, sound, mime="a/b", seconds=1, sample_rate=1, ending="pcm", thread=thread
            )
            for ending in ("txt", "ogg"):
                file = self.home / "outbox" / chat / f"{message}.{ending}"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(sound)

    async def command(self, chat: str, name: str, argument: str = "", thread: str | None = None) -> str:
        inbound = InboundMessage(platform=self.platform, chat=chat, message="command", user="u", thread=thread)
        return await Commands(self.client, ("en_US-joe-medium",), 24).run(inbound, Role.OWNER, name, argument)


@asynccontextmanager
async def june(home: Path, platform: str = "file", pragmas: dict[str, str] = PRAGMAS) -> AsyncIterator[June]:
    blobs = BlobStore.open(home / "blobs")
    async with served(home, pragmas) as client:
        world = World()
        world.behaviours["forget"] = ForgetActivity(blobs, client, Outbox(home / "outbox")).forget
        async with running(client, world, platform=platform):
            yield June(home, client, blobs, platform)


async def test_delete_everything_on_the_page(tmp_path: Path) -> None:
    async with june(tmp_path, "web") as here, cleaned(tmp_path):
        page = replace(page_of(here.client), store=here.blobs)
        browser, stranger = await opened(page), await opened(page)
        for client, word in ((browser, WORD), (stranger, OTHER)):
            chat = chat_of(page, client)
            for number in range(TURNS):
                await client.post(f"/api/messages?id=message-{number}", json={"text": f"{word} {number}" + "x " * 1500})
                await result_of(here.client, "web", chat, f"message-{number}")
            await client.post("/api/messages?id=message-9", content=word.encode())
            await result_of(here.client, "web", chat, "message-9")
        assert holding(tmp_path, WORD)
        assert (await browser.post("/api/messages?id=message-f", json={"text": "/forget"})).status_code == 200
        await until(lambda: not holding(tmp_path, WORD))
        assert holding(tmp_path, OTHER)
        await browser.post("/api/messages?id=message-n", json={"text": "and again"})
        await result_of(here.client, "web", chat_of(page, browser), "message-n")


async def test_forget_is_for_its_topic_and_forget_all_for_the_chat(tmp_path: Path) -> None:
    async with june(tmp_path) as here, cleaned(tmp_path):
        words = {None: WORD, "5": "Quastenflosser", "55": "Trommelwirbel"}
        for thread, word in words.items():
            await here.ask("chat", word, thread)
        await here.ask("other", OTHER)
        await here.command("chat", "forget", thread="5")
        await until(lambda: not holding(tmp_path, words["5"]))
        await here.command("chat", "forget")
        await until(lambda: not holding(tmp_path, WORD))
        assert holding(tmp_path, words["55"])
        await here.ask("chat", WORD)
        await here.command("chat", "forget", "all")
        await until(lambda: not holding(tmp_path, WORD) and not holding(tmp_path, words["55"]))
        assert {path.name for path in (tmp_path / "outbox").iterdir()} == {"other"}
        assert holding(tmp_path, OTHER)


async def test_what_was_deleted_from_an_old_home_is_gone_with_the_next_start(tmp_path: Path) -> None:
    async with june(tmp_path, pragmas=OLD_PRAGMAS) as here:
        await here.ask("chat", WORD)
        await here.ask("other", OTHER)
        await here.command("chat", "forget")
        await until(lambda: not (tmp_path / "blobs" / "file" / "chat").exists())
        handle = here.client.get_workflow_handle(conversation_id("file", "other"))

        async def few_listed() -> bool:
            return (await here.client.count_workflows("Chat = 'file/chat'")).count <= 1

        await until(few_listed)
        kept = await handle.describe()
    assert holding(tmp_path, WORD)  # what this is about
    assert Database(tmp_path / "temporal.db").needs_rewriting()
    await asyncio.to_thread(prepare, tmp_path / "temporal.db")
    assert not holding(tmp_path, WORD)
    assert not Database(tmp_path / "temporal.db").needs_rewriting()
    async with served(tmp_path) as client:
        found = await client.get_workflow_handle(conversation_id("file", "other")).describe()
        assert found.run_id == kept.run_id
        assert found.history_length == kept.history_length


async def test_what_retention_deletes_is_gone_as_well(tmp_path: Path) -> None:
    file = tmp_path / "temporal.db"
    async with june(tmp_path) as here:
        await here.ask("chat", WORD)
        await here.ask("other", OTHER)
        await here.client.get_workflow_handle(conversation_id("file", "chat")).terminate()

        async def ended() -> bool:
            return (
                await here.client.count_workflows("Chat = 'file/chat' AND ExecutionStatus != 'Running'")
            ).count > TURNS

        await until(ended)
    soon = datetime.now(UTC) + timedelta(seconds=5)  # not in the past, where the server looks no more
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE timer_tasks SET visibility_timestamp = ?", [f"{soon:%Y-%m-%d %H:%M:%S}+00:00"])
    async with june(tmp_path) as here, cleaned(tmp_path):
        await here.blobs.delete_older_than(timedelta(0))
        await until(lambda: not {"temporal.db", "temporal.db-wal"} & set(holding(tmp_path, WORD)))
        assert "temporal.db" in holding(tmp_path, OTHER)  # of a conversation that goes on
        assert not any(name.endswith(".pcm") for name in holding(tmp_path, WORD) + holding(tmp_path, OTHER))


@contextmanager
def rows(file: Path, count: int) -> Iterator[sqlite3.Connection]:
    """Stand for the server: a file with so many rows of a page each, and the connection that wrote them."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=5)) as connection:
        for name in ("auto_vacuum", "journal_mode", "secure_delete"):
            connection.execute(f"PRAGMA {name}={PRAGMAS[name]}")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE said (words TEXT)")
        connection.executemany("INSERT INTO said VALUES (?)", [(WORD + "x" * 4000,)] * count)
        connection.execute("COMMIT")
        yield connection


def test_the_log_is_cut_in_a_moment_without_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.3)
    file = Database(tmp_path / "temporal.db")
    with rows(file.path, 5) as server:
        assert file.has_log
        busy = database._version
        monkeypatch.setattr(database, "_version", lambda _connection: time.monotonic_ns())  # it never stops writing
        assert not file.cut_log()
        assert holding(tmp_path, WORD) == ["temporal.db", "temporal.db-wal"]
        assert file.cut_log(forced=True)
        assert holding(tmp_path, WORD) == ["temporal.db"]
        monkeypatch.setattr(database, "_version", busy)
        server.execute("DELETE FROM said")
        assert file.cut_log()
        assert holding(tmp_path, WORD) == []


def test_free_pages_are_given_back(tmp_path: Path) -> None:
    file = Database(tmp_path / "temporal.db")
    with rows(file.path, 1000) as server:
        server.execute("DELETE FROM said")
        assert file.cut_log()
        full = file.path.stat().st_size
        file.give_back()
        assert file.path.stat().st_size < full / 10
        assert server.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_failure_is_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "temporal.db"
    with rows(file, 5) as server:
        async with cleaned(tmp_path):
            await until(lambda: not Database(file).has_log)
            server.execute("BEGIN EXCLUSIVE")
            server.execute("DELETE FROM said")
            server.execute("COMMIT")
            await until(lambda: not holding(tmp_path, WORD))
    file.write_bytes(b"no database at all" * 1000)
    file.with_name("temporal.db-wal").write_bytes(b"x")
    async with cleaned(tmp_path):
        await until(lambda: "what was deleted may still be in" in caplog.text)
    assert caplog.text.count("what was deleted may still be in") == 1
    prepare(file)
    assert file.read_bytes() == b"no database at all" * 1000


def test_the_log_of_a_june_that_was_killed_is_cut_at_the_next_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with rows(tmp_path / "temporal.db", 5) as server:
        server.execute("DELETE FROM said")
        for name in ("temporal.db", "temporal.db-wal"):
            subprocess.run(["cp", tmp_path / name, home / name], check=True)  # as it was at that moment
    assert holding(home, WORD) == ["temporal.db-wal"]
    prepare(home / "temporal.db")
    assert holding(home, WORD) == []


def test_a_file_that_cannot_be_rewritten_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = Database(tmp_path / "temporal.db")
    with closing(sqlite3.connect(file.path)) as connection:
        connection.execute("CREATE TABLE said (words TEXT)")
    before = file.path.read_bytes()

    def full(_self: Database) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Database, "rewrite", full)
    prepare(file.path)
    assert "database or disk is full" in caplog.text
    assert file.path.read_bytes() == before
    assert file.needs_rewriting()


def test_a_home_without_a_database_gets_none(tmp_path: Path) -> None:
    prepare(tmp_path / "temporal.db")
    assert list(tmp_path.iterdir()) == []


async def test_it_runs_beside_a_server_in_a_container(tmp_path: Path) -> None:
    file = tmp_path / "temporal.db"
    with rows(file, 5) as server:
        server.execute("DELETE FROM said")
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "workers.local.database", str(file))
        try:
            await until(lambda: not holding(tmp_path, WORD))
            assert main(["--check", str(file)]) == 0
        finally:
            process.terminate()
            await process.wait()
        server.execute("INSERT INTO said VALUES ('new')")
        assert main(["--check", str(file)]) == 0
        os.utime(tmp_path / "temporal.db-wal", (0, 0))
        assert main(["--check", str(file)]) == 1
