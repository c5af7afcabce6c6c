"""The activity ``measure``."""

import json
import math

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.audio.codec import decode, encode_ogg_opus
from activities.audio.pcm import SAMPLE_RATE
from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage
from activities.speech.measure import MeasureActivity
from activities.speech.recognizers import ColumnError, Engines
from activities.speech.requests import MeasureRequest
from activities.synthesize import Speech
from activities.transcribe import Recognition, SpeechRecognizer
from tests.support.speech_runs import MODELS, asked


class Scripted:
    """Hears the same whatever is said, and remembers in which language."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.languages: list[str | None] = []

    def recognize(self, samples: object, language: str | None, stop: object, likely: object = ()) -> Recognition:  # noqa: ARG002
        self.languages.append(language)
        return Recognition(self.text, language or "en", 1.0)


class World:
    """A store, and two columns."""

    def __init__(self) -> None:
        self.storage = CodingStorage(BlobStore.open("memory://"))
        self.columns = {"june": Scripted("Turn on the light"), "stock": Scripted("Turn on the living room light!")}

    def recognizer(self, column: str) -> SpeechRecognizer:
        if column not in self.columns:
            raise ColumnError(f"{column!r} is none.")
        return self.columns[column]

    async def measure(self, request: MeasureRequest) -> Attempt:
        activity = MeasureActivity(Engines(self.recognizer, decode, MODELS), self.storage).measure
        attempt: Attempt = await ActivityEnvironment().run(activity, request)
        return attempt


@pytest.fixture
def world() -> World:
    return World()


async def test_columns_are_counted_and_stock_is_always_one(world: World) -> None:
    attempt = await world.measure(asked("en-02@10dB"))
    assert (attempt.outcome, attempt.why) == (AttemptOutcome.MEASURED, "")
    figures = attempt.figures
    assert (figures["june.words"], figures["june.words_wrong"]) == (6, 2)
    assert (figures["stock.words"], figures["stock.words_wrong"]) == (6, 0)
    assert 1 < figures["sound.seconds"] < 10
    assert figures["june.seconds"] >= 0
    assert all(map(math.isfinite, figures.values()))
    assert [column.languages for column in world.columns.values()] == [[None], [None]]


async def test_texts_are_stored_with_the_run(world: World) -> None:
    attempt = await world.measure(asked("en-02", options={"columns": "june", "language": "known"}))
    assert attempt.answer
    assert attempt.answer.key.startswith("bench/run/")
    texts = json.loads(await world.storage.get(attempt.answer, 10_000))
    assert texts["said"] == "Turn on the living room light."
    assert texts["heard"]["june"] == {"text": "Turn on the light", "language": "en"}
    assert world.columns["june"].languages == ["en"]


async def test_junes_own_voice_is_heard(world: World) -> None:
    request = asked("en-02", Mode.TTS)
    opus = encode_ogg_opus((1000 * np.sin(np.arange(SAMPLE_RATE) / 6)).astype("<i2").tobytes(), SAMPLE_RATE, 32_000)
    audio = await world.storage.put(request.owner, opus, "audio/ogg", "ogg")
    said = Speech(audio=audio.model_copy(update={"seconds": 1.0}), engine_ms=250)
    attempt = await world.measure(request.model_copy(update={"said": said}))
    figures = attempt.figures
    assert (figures["tts.seconds"], figures["sound.seconds"]) == (0.25, 1.0)
    assert (figures["tts.words"], figures["tts.words_wrong"]) == (6, 2)
    assert "hearing.seconds" in figures
    assert world.columns["june"].languages == ["en"], "what is meant to be said is known"
    text = await world.storage.put(request.owner, b"text", "audio/ogg", "ogg")
    attempt = await world.measure(request.model_copy(update={"said": Speech(audio=text, engine_ms=1)}))
    assert "cannot be heard" in attempt.why


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (asked("none"), "no recording"),
        (asked("en-01", data_sha256="other"), "has changed"),
        (asked("en-01", data_set="/nowhere"), "neither"),
        (asked("en-01", options={"columns": "other"}), "is none"),
        (asked("en-01", options={"other": 1}), "does not take"),
        (asked("en-01", Mode.TTS), "Nothing was said"),
        (asked("en-01", Mode.TURNS), "not measured here"),
        (asked("en-01", Mode.COMPLETION), "no mode of speech"),
    ],
)
async def test_what_cannot_be_measured_says_why(world: World, request_: MeasureRequest, reason: str) -> None:
    attempt = await world.measure(request_)
    assert attempt.outcome is AttemptOutcome.UNMEASURED
    assert reason in attempt.why


async def test_no_column_is_always_the_first(world: World) -> None:
    order: list[str] = []

    def recognizer(column: str) -> SpeechRecognizer:
        scripted = Scripted(column)
        scripted.recognize = lambda *_: order.append(column) or Recognition("", "en", 1.0)  # type: ignore
        return scripted

    activity = MeasureActivity(Engines(recognizer, decode, MODELS), world.storage).measure
    for number in range(1, 6):
        await ActivityEnvironment().run(activity, asked(f"es-0{number}"))
    assert len(set(order[::2])) == 2
