"""A campaign from its beginning to its verdict: ``python -m workers.bench.faults.campaign`` in mounts of its own.

Turns are asked at a steady pace while faults happen, and all of them are waited for once the last fault is over.
What is judged is what the platforms have, what the turns' workflows returned, and what june has left behind.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from workers.bench.faults import disk
from workers.bench.faults.bot_api import TOKEN, BotApi
from workers.bench.faults.chats import FileChat, TelegramChat, WebChat, open_chats
from workers.bench.faults.figures import FaultFigures
from workers.bench.faults.injection import Injection
from workers.bench.faults.judge import UNCERTAIN, Outcome, judge
from workers.bench.faults.june import June
from workers.bench.faults.model import ModelServer
from workers.bench.faults.model_server import MODEL
from workers.bench.faults.plan import Kind, plan
from workers.errors import JuneError
from workers.local.free_ports import free_ports, own_ports
from workers.local.session import QUESTION
from workers.settings import TelemetrySettings
from workers.temporal import connect
from workflows.names import VOICE_MESSAGE, conversation_id, voice_message_id
from workflows.voice.contracts import QueuedMessage, VoiceMessageResult
from workflows.voice.last_reply import MAX_TELLINGS, TELL_AFTER

RESULT_SECONDS = 900.0
"""Timeout for all turns after the last fault."""
HAND_OVER_SECONDS = 600.0
"""Timeout for messages that are still to be taken when all others were."""
ASK_SECONDS = 60.0
AGAIN_SECONDS = 0.5
SILENCE_SECONDS = 8
"""The model server's, before june gives an attempt up; it hangs for no longer than two of these."""
NO_LIMIT = "1000"
"""The most that june lets be set; a chat has a tenth of it to say."""

AnyChat = TelegramChat | FileChat | WebChat


class Options(BaseModel):
    """What a campaign is to be."""

    seed: int
    """Of the faults, and of who speaks when."""
    turns: int
    """Messages in all."""
    chats: int
    faults: int
    turns_per_second: float
    """On average."""
    small_disk: bool = False
    """It runs in mounts of its own, so that a disk can be filled."""
    keep: Path | None = None
    """Where june's logs and a list of what became of each message are kept."""


class Campaign:
    """One campaign."""

    def __init__(self, options: Options, folder: Path) -> None:
        """Hold it in a folder of its own."""
        self._options = options
        self._home = folder / "home"
        self._started = time.monotonic()
        self._model_port = free_ports(3)
        self._api_port, self._web_port = self._model_port + 1, self._model_port + 2
        self._ports = own_ports()
        self._model = ModelServer(self._model_port)
        self._api = BotApi(QUESTION.read_bytes())
        self._june = June(self._home, self._variables(), self.log)

    def log(self, line: str) -> None:
        """Print what happens, with the seconds since the beginning."""
        sys.stderr.write(f"{time.monotonic() - self._started:7.1f} s  {line}\n")
        sys.stderr.flush()

    async def run(self) -> FaultFigures:
        """Hold the campaign.

        Raises:
            JuneError: something could not be started.

        """
        options, chance = self._options, random.Random(self._options.seed)  # noqa: S311 - no secret
        kinds = tuple(kind for kind in Kind if options.small_disk or kind is not Kind.DISK_FULL)
        async with self._running() as client:
            recording, outbox = self._home / QUESTION.name, self._home / "outbox"
            web_url = f"http://localhost:{self._web_port}"
            chats = open_chats(options.chats, self._api, client, recording, outbox, web_url)
            injection = Injection(self._june, self._model, self._api, chance, self.log)
            begun = time.monotonic()
            faults = asyncio.create_task(injection.run(plan(options.seed, options.faults, kinds)))
            talking = asyncio.create_task(self._talk(chats, chance))
            await _all(faults, talking)
            self.log(f"all was said; {self._api.unread} messages are not read yet")
            outcomes = await self._outcomes(client, chats)
            seconds = time.monotonic() - begun
            open_workflows = await self._open_workflows(client, chats)
            untold = await self._untold(outcomes, chats)
            for chat in chats:
                if isinstance(chat, WebChat):
                    await chat.browser.aclose()
        verdict = judge(outcomes)
        verdict.faults += [f"message {number} of chat {chat}: uncertain, and nobody told" for chat, number in untold]
        processes, files = self._june.left(), disk.unexpected(self._home)
        if options.keep:
            lines = [json.dumps(outcome._asdict()) for outcome in outcomes]
            (options.keep / "outcomes.jsonl").write_text("\n".join(lines) + "\n")
        return FaultFigures(
            seed=options.seed,
            chats=len(chats),
            minutes=round(seconds / 60, 1),
            done={kind.value: injection.done[kind] for kind in Kind},
            left_processes=processes,
            left_files=files,
            left_workflows=open_workflows,
            uncertain_told=verdict.uncertain - len(untold),
            **asdict(verdict),
        )

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[Client]:
        """Run june, its model server and its platform for as long as the block."""
        self._home.mkdir(mode=0o700)
        if self._options.small_disk:
            disk.mount(self._home)
        (self._home / disk.TEMPORARY).mkdir()
        (self._home / QUESTION.name).write_bytes(QUESTION.read_bytes())
        try:
            async with self._api.serve(self._api_port):
                await self._model.start()
                await self._june.start()
                self.log("june is up")
                watching = asyncio.create_task(self._june.watch())
                try:
                    address = f"127.0.0.1:{self._ports.temporal_port}"
                    yield await connect(TelemetrySettings(metrics_address=""), address=address)
                finally:
                    watching.cancel()
                    await self._june.stop()
        finally:
            await self._model.kill()
            if self._options.keep:
                self._keep_logs(self._options.keep)

    def _variables(self) -> dict[str, str]:
        """Return june's settings."""
        ports = self._ports
        return {
            "JUNE_HOME": str(self._home),
            "JUNE_FILE_ROOTS": json.dumps([str(self._home)]),
            "JUNE_ENGINES": "model",
            "JUNE_LLM_BASE_URL": f"{self._model.url}/v1",
            "JUNE_LLM_MODEL": MODEL,
            "JUNE_LLM_THINKING_TOKENS": "0",
            "JUNE_LLM_FIRST_TOKEN_SECONDS": str(SILENCE_SECONDS),
            "JUNE_EMBEDDED_TEMPORAL_PORT": str(ports.temporal_port),
            "JUNE_EMBEDDED_UI_PORT": str(ports.ui_port),
            "JUNE_EMBEDDED_WORKER_PORT_BASE": str(ports.worker_port_base),
            "JUNE_WEB_PORT": str(self._web_port),
            "JUNE_TELEGRAM_TOKEN": TOKEN,
            "JUNE_TELEGRAM_BASE_URL": f"http://127.0.0.1:{self._api_port}",
            "JUNE_TELEGRAM_USERS": " ".join(str(1000 + number) for number in range(1, self._options.chats + 1)),
            "JUNE_LIMIT_CHAT_WAITING": NO_LIMIT,
            "JUNE_LIMIT_CHAT_MESSAGES_PER_MINUTE": NO_LIMIT,
            "JUNE_LIMIT_USER_MESSAGES_PER_MINUTE": NO_LIMIT,
            "JUNE_LIMIT_USER_VOICE_SECONDS_PER_DAY": "86400",
            "TMPDIR": str(self._home / disk.TEMPORARY),
        }

    async def _talk(self, chats: Sequence[AnyChat], chance: random.Random) -> None:
        """Say something in one chat after the other, at a steady pace; a chat whose message waits holds up none."""
        chance = random.Random(chance.random())  # noqa: S311 - of its own, whatever the faults draw
        shares = [chats[number % len(chats)] for number in range(self._options.turns)]
        chance.shuffle(shares)
        lines = {chat.name: asyncio.Lock() for chat in chats}

        async def say(chat: AnyChat) -> None:
            async with lines[chat.name]:
                await chat.say()

        saying = []
        for said, chat in enumerate(shares, 1):
            saying.append(asyncio.create_task(say(chat)))
            if said % 100 == 0:
                self.log(f"{said} messages")
            await asyncio.sleep(chance.expovariate(self._options.turns_per_second))
        async with asyncio.timeout(HAND_OVER_SECONDS):
            await asyncio.gather(*saying)

    async def _outcomes(self, client: Client, chats: Sequence[AnyChat]) -> list[Outcome]:
        """Wait for the end of all turns; what has none by then has no status."""
        deadline, outcomes = time.monotonic() + RESULT_SECONDS, list[Outcome]()
        for chat in chats:
            for number, message in enumerate(chat.messages, 1):
                result = await self._result(client, chat, message, deadline)
                delivered = chat.delivered(message)
                place = delivered.place
                if place is None and result and chat.platform != "telegram":
                    place = result.asked_at.timestamp() if result.asked_at else None
                outcomes.append(
                    Outcome(
                        platform=chat.platform,
                        chat=chat.name,
                        number=number,
                        status=result.status if result else None,
                        error=_error(result),
                        answer=result.answer if result else "",
                        texts=delivered.texts,
                        voices=delivered.voices,
                        place=place,
                        told=bool(delivered.texts) or not delivered.keeps,
                        keeps=delivered.keeps,
                    )
                )
        return outcomes

    async def _result(self, client: Client, chat: AnyChat, message: str, deadline: float) -> VoiceMessageResult | None:
        """Wait for a turn's result; None where it has none by the deadline, or its workflow was lost."""
        turn = client.get_workflow_handle(
            voice_message_id(chat.platform, chat.chat, message), result_type=VoiceMessageResult
        )
        while True:
            try:
                return await asyncio.wait_for(turn.result(), max(0.1, deadline - time.monotonic()))
            except WorkflowFailureError as error:
                self.log(f"message {message} of chat {chat.name}: {error.cause}")
                return None
            except TimeoutError:
                self.log(f"message {message} of chat {chat.name} has no result")
                return None
            except RPCError as error:
                if time.monotonic() > deadline:
                    self.log(f"message {message} of chat {chat.name}: {error.status.name}")
                    return None
                if error.status is not RPCStatusCode.NOT_FOUND:
                    self.log(f"{error.status.name}, asked again")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _open_workflows(self, client: Client, chats: Sequence[AnyChat]) -> list[str]:
        """Return which workflows still do something, once they had time to end: turns, and chats not at rest."""
        left: list[str] = []
        deadline = time.monotonic() + ASK_SECONDS
        while time.monotonic() < deadline:
            query = f'ExecutionStatus = "Running" AND WorkflowType = "{VOICE_MESSAGE}"'
            left = [execution.id async for execution in client.list_workflows(query)]
            for chat in chats:
                if chat.messages:
                    handle = client.get_workflow_handle(conversation_id(chat.platform, chat.chat))
                    if await handle.query("queue", result_type=list[QueuedMessage]):
                        left.append(handle.id)
            if not left:
                break
            await asyncio.sleep(AGAIN_SECONDS)
        return left

    async def _untold(self, outcomes: Sequence[Outcome], chats: Sequence[AnyChat]) -> list[tuple[str, int]]:
        """Wait for june to tell each chat of its uncertain answers; return of which it has not, by chat and number.

        It tells with the next message or after a while, and again where that may not have arrived.
        """
        doubts = [
            (chat, [one.number for one in outcomes if (one.chat, one.error) == (chat.name, UNCERTAIN)])
            for chat in chats
        ]
        deadline = time.monotonic() + MAX_TELLINGS * TELL_AFTER.total_seconds() + ASK_SECONDS
        while True:
            untold = [
                (chat.name, number)
                for chat, numbers in doubts
                for number in numbers
                if number not in chat.told_of(numbers)
            ]
            if not untold or time.monotonic() > deadline:
                return untold
            await asyncio.sleep(AGAIN_SECONDS)

    def _keep_logs(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for log in (self._home / "logs").iterdir():
            (folder / log.name).write_bytes(log.read_bytes())

    def close(self) -> None:
        """Take the disk away, when nothing needs it any more."""
        if self._options.small_disk and self._home.is_mount():
            disk.unmount(self._home)


def _error(result: VoiceMessageResult | None) -> str | None:
    """Return the code of a result; of one that is uncertain that code, whatever else was wrong."""
    if result is None:
        return None
    if getattr(result, "uncertain", False):
        return UNCERTAIN
    return result.error.value if result.error else None


async def _all(*tasks: "asyncio.Task[None]") -> None:
    """Wait for all of them; when one fails the others are cancelled, and its error is raised."""
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


def main(options: Options) -> int:
    """Hold a campaign, and print its figures as one JSON object."""
    with tempfile.TemporaryDirectory(prefix="june-faults-") as folder:
        os.environ["JUNE_HOME"] = f"{folder}/home"  # of whatever this process asks about that home
        campaign = Campaign(options, Path(folder))
        try:
            figures = asyncio.run(campaign.run())
        except JuneError as error:
            campaign.log(str(error))
            return error.exit_code
        finally:
            campaign.close()
    sys.stdout.write(figures.model_dump_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Options.model_validate_json(sys.argv[1])))
