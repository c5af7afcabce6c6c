"""The whole way with real engines: speech in, speech out, judged by word error rate."""

import asyncio
import json
import os
import signal
import sys
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest
from temporalio.client import WorkflowHistory

from activities.audio.codec import decode
from activities.text.sentences import split
from activities.transcribe import samples_of
from tests.support.audio_samples import silence, wav
from tests.support.chat import Chat, activities_of
from tests.support.encryption import opened_history
from tests.support.planted_words import files_of, words_in
from tests.support.waiting import until
from tests.support.word_errors import wer
from workers.engines.whisper import WhisperRecognizer
from workers.local.stack import Embedded
from workers.settings import PROJECT, StorageSettings, WhisperSettings
from workflows.voice.contracts import ChatSettings, VoiceMessageResult

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

DATA = PROJECT / "tests" / "data"
JFK, LIGHT = DATA / "jfk.flac", DATA / "living_room_light_en.wav"
JFK_SAID = (
    "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
)
TERSE = ChatSettings(system_prompt="You are a polite assistant. Answer in one short sentence.", temperature=0)
"""The smallest model, left to itself, says the same thing for minutes."""
STAGES = {"fetch", "transcribe", "infer", "synthesize", "reply"}
TEMPORAL = Path(sys.prefix) / "bin" / "temporal"


@dataclass(frozen=True)
class Said:
    """What a command printed and returned."""

    code: int
    objects: list[dict[str, Any]]
    """A JSON object a line."""
    errors: str


async def june(variables: dict[str, str], *arguments: str) -> Said:
    """Run the ``june`` command beside the stack."""
    return await command(variables, sys.executable, "-m", "workers.cli", *arguments)


async def command(variables: dict[str, str], *arguments: str) -> Said:
    """Run a command that prints JSON."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 120)
    return Said(process.returncode or 0, _objects(out.decode()), errors.decode())


def _objects(text: str) -> list[dict[str, Any]]:
    """Read JSON objects, one after the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


@pytest.fixture(scope="module")
async def turns(
    real: Embedded, storage: StorageSettings, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Two turns in one chat, as ``june talk --json`` tells them."""
    out = tmp_path_factory.mktemp("out") / "reply.ogg"
    await Chat(real, "two-turns").open(TERSE)
    where = {"JUNE_HOME": str(storage.home)}
    said = await june(where, "talk", str(JFK), str(LIGHT), "--chat", "two-turns", "--out", str(out), "--json")
    assert said.code == 0, said.errors
    assert len(said.objects) == 2
    return said.objects


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    """Whisper's opinion of what june says."""
    return WhisperRecognizer(WhisperSettings(), StorageSettings())


def test_it_is_heard(turns: list[dict[str, Any]]) -> None:
    assert wer(JFK_SAID, turns[0]["transcript"]) < 0.1
    assert turns[0]["language"] == "en"
    assert "living room" in turns[1]["transcript"].lower()


def test_it_is_answered_in_ogg_opus(turns: list[dict[str, Any]]) -> None:
    for turn in turns:
        assert turn["error"] is None
        assert turn["answer"]
        with av.open(turn["reply"]) as reply:
            (stream,) = reply.streams
            assert (reply.format.name, stream.codec_context.name) == ("ogg", "opus")
            assert (stream.codec_context.sample_rate, stream.codec_context.channels) == (48_000, 1)
            assert reply.duration is not None
            assert reply.duration / av.time_base == pytest.approx(turn["reply_seconds"], abs=0.1)


def test_the_reply_says_the_answer(turns: list[dict[str, Any]], recognizer: WhisperRecognizer) -> None:
    for turn in turns:
        samples = samples_of(decode(Path(turn["reply"]).read_bytes(), max_seconds=300))
        heard = recognizer.recognize(samples, "en", threading.Event())
        # The smallest model repeats itself, and Whisper (stock faster-whisper as well) hears an exact copy only once.
        assert wer(_once(turn["answer"]), _once(heard.text)) < 0.25


def _once(text: str) -> str:
    """Leave out sentences that were there before."""
    return " ".join(dict.fromkeys(split(text)))


def test_time_is_told_by_stage(turns: list[dict[str, Any]]) -> None:
    for turn in turns:
        assert turn["ms"].keys() == STAGES | {"total"}
        assert all(0 < turn["ms"][stage] <= turn["ms"]["total"] for stage in STAGES - {"synthesize"})


def test_the_link_opens(real: Embedded, turns: list[dict[str, Any]]) -> None:
    assert turns[0]["web_ui"].startswith(real.ui_url)
    with urllib.request.urlopen(turns[0]["web_ui"], timeout=10) as page:  # noqa: S310 - june's own link
        assert page.status == 200


async def test_the_second_prompt_holds_the_first_turn(real: Embedded, turns: list[dict[str, Any]]) -> None:
    history = await history_of(real, turns[1]["workflow_id"])
    (infer,) = [ran for ran in activities_of(history) if ran.name == "infer"]
    said = [message["content"] for message in json.loads(infer.input)["messages"]]
    assert said[1:] == [turns[0]["transcript"], turns[0]["answer"], turns[1]["transcript"]]


async def test_no_log_and_no_database_holds_what_was_said(real: Embedded) -> None:
    chat = Chat(real)
    await chat.open(TERSE)
    said = await chat.ask(LIGHT.read_bytes())
    words = (said.transcript.strip(" .?!"), said.answer.strip(" .?!"), TERSE.system_prompt or "")
    assert all(len(word) > 5 for word in words)
    read = {path: path.read_bytes() for path in files_of(real.home, but=[real.home / "outbox"])}
    assert {path.name for path in read} >= {"model-server.log", "worker-gpu.log", "temporal.db"}
    assert [path for path, data in read.items() if words_in(data, words)] == []


async def history_of(stack: Embedded, workflow_id: str) -> WorkflowHistory:
    return await opened_history(stack.client.get_workflow_handle(workflow_id))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (wav(silence(3)), "no-speech"),
        (b"This is not audio. " * 100, "audio-unreadable"),
        (b"", "audio-empty"),
    ],
    ids=["silence", "text", "nothing"],
)
async def test_what_cannot_be_answered_has_a_code(
    variables: dict[str, str], tmp_path: Path, content: bytes, error: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    said = await june(variables, "talk", str(file), "--json")
    assert said.code == 1
    (turn,) = said.objects
    assert (turn["error"], turn["transcript"], turn["answer"], turn["reply"]) == (error, "", "", None)


async def test_a_file_that_is_not_there_is_said_in_a_sentence(variables: dict[str, str]) -> None:
    said = await june(variables, "talk", "nothing.ogg", "--json")
    assert said.code == 1
    assert "nothing.ogg cannot be read" in said.errors


async def test_the_doctor_finds_all_well(variables: dict[str, str]) -> None:
    said = await june(variables, "doctor", "--json")
    (report,) = said.objects
    assert [check for check in report["checks"] if not check["ok"]] == []
    assert (said.code, report["ok"]) == (0, True)


async def test_it_starts_by_hand(real: Embedded) -> None:
    at, workflow = ("--address", real.address), f"by-hand-{uuid4().hex[:8]}"
    start = ("workflow", "start", "--type", "VoiceMessage", "--task-queue", "june", "--workflow-id", workflow)
    asked = json.dumps({"audio": {"locator": str(LIGHT)}, "settings": TERSE.model_dump(mode="json")})
    started = await command({}, str(TEMPORAL), *start, "--input", asked, *at, "-o", "json")
    assert started.code == 0, started.errors
    codec = ("--codec-endpoint", f"{real.ui_url}/codec")
    ended = await command({}, str(TEMPORAL), "workflow", "result", "-w", workflow, *at, *codec, "-o", "json")
    (told,) = ended.objects
    result = VoiceMessageResult.model_validate(told["result"])
    assert result.status == "answered"
    assert "living room" in result.transcript.lower()


@pytest.mark.parametrize("stage", ["transcribe", "infer"])
async def test_a_killed_gpu_worker_costs_only_time(real: Embedded, variables: dict[str, str], stage: str) -> None:
    chat = f"killed-in-{stage}"
    await Chat(real, chat).open(TERSE)
    asking = asyncio.create_task(june(variables, "talk", str(JFK), "--chat", chat, "--json"))

    async def in_stage() -> bool:
        query = f'Chat = "file/{chat}" AND WorkflowType = "VoiceMessage" AND Stage = "{stage}"'
        return (await real.client.count_workflows(query)).count > 0

    await until(in_stage, 30)
    os.kill(real.pids["worker-gpu"], signal.SIGKILL)
    said = await asking
    assert said.code == 0, said.errors
    (turn,) = said.objects
    assert wer(JFK_SAID, turn["transcript"]) < 0.1
    activities = activities_of(await history_of(real, turn["workflow_id"]))
    assert [ran.name for ran in activities if ran.name in {"transcribe", "infer", "reply"}] == [
        "transcribe",
        "infer",
        "reply",
    ]
    await until(real.ready)
