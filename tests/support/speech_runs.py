"""Runs of benchmarks of speech."""

from datetime import UTC, datetime
from typing import Any

from activities.benchmarks.attempts import Mode, Pinned
from activities.benchmarks.pin_model import ServedModel
from activities.speech.clips import SHIPPED, read_set
from activities.speech.requests import MeasureRequest

MODELS = {
    Mode.STT: ServedModel(name="whisper-base", sha256="0" * 64, server="a server"),
    Mode.TTS: ServedModel(name="a voice"),
    Mode.TURNS: ServedModel(name="a model"),
}


def pinned(mode: Mode = Mode.STT, **changes: Any) -> Pinned:  # noqa: ANN401 - any field
    """Pin a run of the shipped recordings."""
    fields: dict[str, Any] = {
        "run": "run",
        "data_set": SHIPPED,
        "data_sha256": read_set(SHIPPED).sha256,
        "tasks": (),
        "samples": 1,
        "mode": mode,
        "model": "whisper-base",
        "temperature": 0,
        "answer_tokens": 16,
        "seed": 1,
        "code_version": "0",
        "machine": "this",
        "started": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Pinned(**(fields | changes))


def asked(task: str, mode: Mode = Mode.STT, *, said: Any = None, **changes: Any) -> MeasureRequest:  # noqa: ANN401
    """Ask for an attempt; what is pinned may be given, options among it."""
    return MeasureRequest(pinned=pinned(mode, **changes), task=task, said=said)
