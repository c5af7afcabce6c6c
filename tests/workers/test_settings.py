"""Settings come from the environment, and go to child processes the same way."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from workers.settings import EmbeddedSettings, LlmSettings, PiperSettings, StorageSettings, WorkerSettings, environment


def test_the_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_HOME", "/srv/june")
    monkeypatch.setenv("JUNE_GPU_SLOTS", "8")
    monkeypatch.setenv("JUNE_CPU_TRANSCRIBE", "true")
    monkeypatch.setenv("JUNE_PIPER_VOICES", '["en_US-joe-medium", "/voices/de.onnx"]')
    assert StorageSettings().outbox == Path("/srv/june/outbox")
    assert StorageSettings().blobs == "/srv/june/blobs"
    assert WorkerSettings().gpu_slots == 8
    assert WorkerSettings().cpu_transcribe
    assert PiperSettings().voices == ("en_US-joe-medium", "/voices/de.onnx")


def test_wrong_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_EMBEDDED_TEMPORAL_PORT", "99999")
    with pytest.raises(ValidationError, match="temporal_port"):
        EmbeddedSettings()


def test_settings_survive_the_way_to_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    areas = (
        StorageSettings(home=Path("/srv/june"), file_roots=(Path("/a"), Path("/b"))),
        LlmSettings(api_key=SecretStr("key"), model="small"),
        WorkerSettings(cpu_transcribe=True, gpu_slots=3),
    )
    for name, value in environment(*areas).items():
        monkeypatch.setenv(name, value)
    assert (StorageSettings(), LlmSettings(), WorkerSettings()) == areas


def test_defaults_stay_out_of_the_environment() -> None:
    assert environment(EmbeddedSettings(ui_port=1234)) == {"JUNE_EMBEDDED_UI_PORT": "1234"}
