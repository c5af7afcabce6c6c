"""The activity ``plan_speech``."""

from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.audio.codec import decode
from activities.benchmarks.attempts import Mode
from activities.benchmarks.plan import Planned, PlanRequest
from activities.benchmarks.task_files import BenchmarkError
from activities.speech.clips import SHIPPED, read_set
from activities.speech.plan import PlanSpeechActivity
from activities.speech.recognizers import ColumnError, Engines
from activities.transcribe import SpeechRecognizer
from tests.support.speech_runs import MODELS
from workers.engines.noop import NoopRecognizer


def recognizer(column: str) -> SpeechRecognizer:
    """Know two columns."""
    if column not in {"june", "stock"}:
        raise ColumnError(f"{column!r} is none.")
    return NoopRecognizer()


async def plan(mode: Mode, **fields: object) -> Planned:
    """Plan a run."""
    request = PlanRequest.model_validate({"run": "run", "data_set": SHIPPED, "mode": mode, **fields})
    activity = PlanSpeechActivity(Engines(recognizer, decode, MODELS)).plan_speech
    planned: Planned = await ActivityEnvironment().run(activity, request)
    return planned


async def test_what_decides_the_figures_is_pinned() -> None:
    planned = await plan(Mode.STT, first=4, model="whisper-base")
    assert planned.tasks == ("en-01", "en-01@10dB", "en-01@5dB", "en-02")
    assert planned.data_sha256 == read_set(SHIPPED).sha256
    assert (planned.model, planned.model_sha256, planned.server) == ("whisper-base", "0" * 64, "a server")
    assert planned.code_version
    assert "core" in planned.machine
    assert (planned.prompts, planned.isolation) == (None, "")


async def test_the_tasks_of_each_mode() -> None:
    assert len((await plan(Mode.STT)).tasks) == 120
    assert (await plan(Mode.STT, tasks=["de-01@5dB", "de-01"])).tasks == ("de-01", "de-01@5dB")
    assert len((await plan(Mode.TTS)).tasks) == 40
    assert (await plan(Mode.TURNS, data_set="any name", options={"language": "de"})).tasks == ("turns",)


@pytest.mark.parametrize(
    ("mode", "fields", "code"),
    [
        (Mode.STT, {"data_set": "none"}, "data-set-unknown"),
        (Mode.STT, {"tasks": ["xx-01"]}, "task-unknown"),
        (Mode.TTS, {"tasks": ["en-01@5dB"]}, "task-unknown"),
        (Mode.STT, {"options": {"columns": "june,other"}}, "column-unknown"),
        (Mode.STT, {"options": {"colums": "june"}}, "options-unusable"),
        (Mode.TURNS, {"options": {"chats": 0}}, "options-unusable"),
        (Mode.TURNS, {"options": {"language": "xx"}}, "data-set-unknown"),
        (Mode.STT, {"model": "whisper-small"}, "model-refused"),
    ],
)
async def test_what_is_wrong_fails_before_anything_is_measured(
    mode: Mode, fields: dict[str, object], code: str
) -> None:
    with pytest.raises(BenchmarkError) as failed:
        await plan(mode, **fields)
    assert (failed.value.type, failed.value.non_retryable) == (code, True)


async def test_a_folder_that_is_no_list_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "clips.toml").write_text("clips = 1")
    with pytest.raises(BenchmarkError) as failed:
        await plan(Mode.STT, data_set=str(tmp_path))
    assert failed.value.type == "data-set-malformed"
