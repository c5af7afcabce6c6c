"""What benchmarks recognize by."""

from pathlib import Path

import pytest

from activities.audio.codec import decode
from activities.benchmarks.attempts import Mode
from activities.speech.recognizers import ColumnError
from workers.engines.noop import NoopRecognizer
from workers.roles.speech import Columns, measured_models, no_engines
from workers.settings import LlmSettings, PiperSettings, StorageSettings, WhisperSettings


@pytest.mark.parametrize("column", ["none", "stock", "base", "en_US-joe-medium"])
def test_a_column_that_is_not_here_is_refused(tmp_path: Path, column: str) -> None:
    june = NoopRecognizer()
    columns = Columns(june, WhisperSettings(), StorageSettings(home=tmp_path))
    assert columns.recognizer("june") is june
    with pytest.raises(ColumnError):
        columns.recognizer(column)


def test_without_engines_all_columns_are_one() -> None:
    june = NoopRecognizer()
    engines = no_engines(june, decode)
    assert engines.recognizer("stock") is june
    assert {model.name for model in engines.models.values()} == {"none"}


@pytest.mark.slow
def test_what_each_mode_measures() -> None:
    found = measured_models(WhisperSettings(), PiperSettings(), LlmSettings())
    names = {mode.value: model.name for mode, model in found.items()}
    assert names == {"stt": "whisper-base", "tts": "en_US-joe-medium", "turns": "qwen2.5-coder-1.5b-instruct"}
    assert all(len(found[mode].sha256) == 64 for mode in (Mode.STT, Mode.TURNS))
    assert "faster-whisper 1." in found[Mode.STT].server
    assert "beam 1" in found[Mode.TTS].server
    elsewhere = measured_models(WhisperSettings(), PiperSettings(), LlmSettings(base_url="http://gpu-box/v1"))
    assert elsewhere[Mode.TURNS].server.startswith("http://gpu-box/v1")
