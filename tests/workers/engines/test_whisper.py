"""Whisper on real speech, and on what is none."""

import threading
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from faster_whisper.transcribe import Segment
from numpy.typing import NDArray

from tests.support.word_errors import wer
from workers.engines import whisper
from workers.engines.voice_activity import SAMPLE_RATE
from workers.engines.whisper import WhisperRecognizer
from workers.settings import WhisperSettings

pytestmark = pytest.mark.engines

AUDIO = Path(__file__).parents[2] / "data"
JFK = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
GO_ON = threading.Event()
Samples = NDArray[np.float32]


def sound(name: str) -> Samples:
    """Decode a recording to 16 kHz mono."""
    return np.asarray(decode_audio(str(AUDIO / name)), np.float32)


def seconds(count: float) -> NDArray[np.float64]:
    """Name the time of each sample."""
    return np.arange(int(count * SAMPLE_RATE)) / SAMPLE_RATE


def noise(level: float, count: float = 5) -> NDArray[np.float64]:
    """Make white noise."""
    return np.random.default_rng(0).normal(0, level, int(count * SAMPLE_RATE))


def note(frequency: float) -> NDArray[np.float64]:
    """Strike a string: harmonics that fade."""
    time = seconds(0.4)
    strings = [np.sin(2 * np.pi * frequency * n * time) / n for n in range(1, 7)]
    return np.asarray(0.3 * np.sum(strings, axis=0) * np.exp(-3 * time))


NOT_SPEECH = {
    "nothing": np.zeros(0),
    "ten samples": np.zeros(10),
    "silence": np.zeros(5 * SAMPLE_RATE),
    "dither": noise(1e-4),
    "white noise": noise(0.01),
    "loud noise": noise(0.3),
    "brown noise": np.cumsum(noise(0.002)),
    "hum": sum(0.2 * np.sin(2 * np.pi * 50 * n * seconds(5)) / n for n in (1, 2, 3, 5)),
    "tone": 0.3 * np.sin(2 * np.pi * 440 * seconds(5)),
    "sweep": 0.3 * np.sin(2 * np.pi * (100 * seconds(5) + 300 * seconds(5) ** 2)),
    "chord": sum(0.15 * np.sin(2 * np.pi * f * seconds(5)) for f in (220, 277.2, 329.6, 440)),
    "melody": np.concatenate([note(f) for f in (262, 330, 392, 523, 392, 330, 262, 294, 349, 440, 349, 294)]),
    "clicks": np.concatenate([np.append(noise(0.4, 0.05), np.zeros(SAMPLE_RATE // 3)) for _ in range(12)]),
    "constant": np.full(3 * SAMPLE_RATE, 0.5),
}


def test_a_speech_is_heard_word_for_word(recognizer: WhisperRecognizer) -> None:
    heard = recognizer.recognize(sound("jfk.flac"), None, GO_ON)
    assert wer(JFK, heard.text) < 0.1
    assert heard.language == "en"
    assert heard.language_probability > 0.9


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("living_room_light_en.wav", "en", "Turn on the living room light."),
        ("living_room_light_de.wav", "de", "Schalte das Wohnzimmerlicht ein."),
        ("living_room_light_es.wav", "es", "Enciende la luz del salón."),
        ("whats_your_name_french.wav", "fr", "Comment t'appelles-tu ?"),
    ],
)
def test_the_language_is_detected(recognizer: WhisperRecognizer, name: str, language: str, text: str) -> None:
    heard = recognizer.recognize(sound(name), None, GO_ON)
    assert heard.language == language
    assert wer(text, heard.text) < 0.25


@pytest.mark.parametrize("asked", ["en", "en-GB", "EN_us"])
def test_a_given_language_is_taken(recognizer: WhisperRecognizer, asked: str) -> None:
    heard = recognizer.recognize(sound("living_room_light_en.wav"), asked, GO_ON)
    assert (heard.language, heard.language_probability) == ("en", 1.0)


def test_an_unknown_language_is_detected_instead(recognizer: WhisperRecognizer) -> None:
    assert recognizer.recognize(sound("living_room_light_de.wav"), "tlh", GO_ON).language == "de"


@pytest.mark.parametrize("kind", NOT_SPEECH)
def test_what_is_no_speech_gives_no_words(recognizer: WhisperRecognizer, kind: str) -> None:
    assert recognizer.recognize(np.asarray(NOT_SPEECH[kind], np.float32), None, GO_ON).text == ""


@pytest.mark.parametrize("kind", ["silence", "dither", "hum", "constant"])
def test_the_guards_hold_without_the_detector(
    recognizer: WhisperRecognizer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper, "spoken", lambda samples: [samples])
    assert recognizer.recognize(np.asarray(NOT_SPEECH[kind], np.float32), None, GO_ON).text == ""


@pytest.mark.parametrize("gain", [1.0, 0.02])
def test_a_quiet_and_noisy_voice_is_heard(recognizer: WhisperRecognizer, gain: float) -> None:
    voice = sound("living_room_light_en.wav")
    hiss = np.asarray(noise(0.005, len(voice) / SAMPLE_RATE), np.float32)
    heard = recognizer.recognize((voice + hiss[: len(voice)]) * np.float32(gain), None, GO_ON)
    assert wer("Turn on the living room light.", heard.text) < 0.25


COMMANDS = {
    "en": ("living_room_light_en.wav", "Turn on the living room light."),
    "de": ("living_room_light_de.wav", "Schalte das Wohnzimmerlicht ein."),
    "es": ("living_room_light_es.wav", "Enciende la luz del salón."),
    "fr": ("whats_your_name_french.wav", "Comment t'appelles-tu ?"),
}


@pytest.mark.parametrize("likely", [("en",), ("de",), ("es",), ("fr",), ("ja", "ru"), ("xx", "tlh-TLH")])
@pytest.mark.parametrize("language", COMMANDS)
def test_a_wrong_expectation_changes_nothing(
    recognizer: WhisperRecognizer, language: str, likely: tuple[str, ...]
) -> None:
    name, text = COMMANDS[language]
    heard = recognizer.recognize(sound(name), None, GO_ON, likely)
    assert heard.language == language
    assert wer(text, heard.text) < 0.25


@pytest.mark.parametrize("likely", [(), ("es-MX",)])
def test_an_expectation_decides_what_two_words_are(recognizer: WhisperRecognizer, likely: tuple[str, ...]) -> None:
    words = sound("living_room_light_es.wav")[int(0.79 * SAMPLE_RATE) : int(1.27 * SAMPLE_RATE)]  # "luz del"
    heard = recognizer.recognize(np.pad(words, (4800, 4800)), None, GO_ON, likely)
    assert heard.language == ("es" if likely else "de")


PAIRS = [(first, second) for first in COMMANDS for second in COMMANDS if first != second]


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("pause", [0.3, 0.8])
def test_two_languages_in_one_note_are_both_kept(
    recognizer: WhisperRecognizer, first: str, second: str, pause: float
) -> None:
    (name, said), (other, then) = COMMANDS[first], COMMANDS[second]
    both = np.concatenate([sound(name), np.zeros(int(pause * SAMPLE_RATE), np.float32), sound(other)])
    heard = recognizer.recognize(both, None, GO_ON)
    assert heard.languages == (first, second)
    assert heard.language in {first, second}
    assert wer(f"{said} {then}", heard.text) < 0.15


def test_a_long_speech_and_a_word_in_another_language(recognizer: WhisperRecognizer) -> None:
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    both = np.concatenate([sound("living_room_light_de.wav"), pause, sound("jfk.flac")])
    heard = recognizer.recognize(both, None, GO_ON)
    assert (heard.language, heard.languages) == ("en", ("de", "en"))
    assert wer(f"Schalte das Wohnzimmerlicht ein. {JFK}", heard.text) < 0.1


def test_pauses_alone_make_no_second_language(recognizer: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "carried_over", None)  # no piece is looked at by itself
    speech = np.concatenate([sound("jfk.flac"), np.zeros(SAMPLE_RATE, np.float32)] * 2)
    assert recognizer.recognize(speech, None, GO_ON).languages == ("en",)


def test_a_given_language_is_not_doubted(recognizer: WhisperRecognizer) -> None:
    both = np.concatenate([sound("living_room_light_en.wav"), sound("living_room_light_de.wav")])
    assert recognizer.recognize(both, "en", GO_ON).languages == ("en",)


@pytest.mark.parametrize("order", [("en", "de"), ("de", "en")])
def test_two_languages_in_long_audio(
    recognizer: WhisperRecognizer, order: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognizer, "_settings", WhisperSettings(batch_over_seconds=30))
    pause = np.zeros(SAMPLE_RATE, np.float32)
    german, english = [sound("living_room_light_de.wav"), pause], [sound("jfk.flac"), pause] * 4
    texts = {"de": COMMANDS["de"][1], "en": " ".join([JFK] * 4)}
    parts = {"de": german, "en": english}
    heard = recognizer.recognize(np.concatenate([*parts[order[0]], *parts[order[1]]]), None, GO_ON)
    assert (heard.language, heard.languages) == ("en", order)
    assert wer(" ".join(texts[code] for code in order), heard.text) < 0.1


@pytest.mark.parametrize("more", [0, 4])
def test_what_is_said_again_and_again_loses_no_word(recognizer: WhisperRecognizer, more: int) -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    speech = [sound("jfk.flac"), pause, sound("jfk.flac"), pause, sound("jfk.flac")[: more * SAMPLE_RATE]]
    text = recognizer.recognize(np.concatenate(speech), None, GO_ON).text.lower()
    assert text.count("you can do for your country") >= 2
    assert text.count("my fellow americans") == (3 if more else 2)


def test_a_faint_voice_behind_a_click_is_heard(recognizer: WhisperRecognizer) -> None:
    click = np.full(64, 0.98)
    faint = sound("jfk.flac") * np.float32(0.006)
    heard = recognizer.recognize(np.concatenate([click, np.zeros(6400), faint]).astype(np.float32), None, GO_ON)
    assert wer(JFK, heard.text) < 0.1


def test_silence_around_speech_is_ignored(recognizer: WhisperRecognizer) -> None:
    voice, silence = sound("living_room_light_en.wav"), np.zeros(20 * SAMPLE_RATE, np.float32)
    heard = recognizer.recognize(np.concatenate([silence, voice, silence]), None, GO_ON)
    assert wer("Turn on the living room light.", heard.text) < 0.25


def test_long_audio_is_heard_in_batches(recognizer: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    speech = np.concatenate([sound("jfk.flac"), pause] * 4)
    monkeypatch.setattr(recognizer, "_settings", WhisperSettings(batch_over_seconds=30))
    heard = recognizer.recognize(speech, None, GO_ON)
    assert heard.language == "en"
    assert wer(" ".join([JFK] * 4), heard.text) < 0.1


def test_a_recognition_that_was_stopped_ends_soon(recognizer: WhisperRecognizer) -> None:
    stopped = threading.Event()
    stopped.set()
    assert recognizer.recognize(sound("jfk.flac"), None, stopped).text == ""


def segment(text: str, *, log_probability: float, no_speech: float, compression: float = 1.0) -> Segment:
    """Make a segment of which only this matters."""
    return Segment(
        id=1, seek=0, start=0, end=1, text=text, tokens=[], words=None, temperature=0,
        avg_logprob=log_probability, no_speech_prob=no_speech, compression_ratio=compression,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "noise"),
    [
        (segment(" Thank you.", log_probability=-0.5, no_speech=0.1), False),
        (segment(" Thank you.", log_probability=-0.9, no_speech=0.1), True),
        (segment(" Sous-titres réalisés par la communauté d'Amara.org", log_probability=-0.2, no_speech=0.6), True),
        (segment("ご視聴ありがとうございました", log_probability=-0.2, no_speech=0.6), True),
        (segment(" Turn on the light.", log_probability=-0.9, no_speech=0.6), False),
        (segment(" Turn on the light.", log_probability=-1.1, no_speech=0.6), True),
        (segment(" Turn on the light.", log_probability=-1.1, no_speech=0.1), False),
        (segment(" no no no no no no no no", log_probability=-0.2, no_speech=0.1, compression=3), False),
        (segment(" la la la", log_probability=-0.1, no_speech=0.1, compression=40), True),
    ],
)
def test_words_are_believed_by_their_figures(said: Segment, *, noise: bool) -> None:
    assert whisper._is_noise(said) is noise
