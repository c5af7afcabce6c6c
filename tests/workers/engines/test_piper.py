"""Piper, and Whisper's opinion of it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from av import AudioFrame, AudioResampler
from temporalio.exceptions import ApplicationError

from activities.synthesize import MAX_CHARS, Sound
from tests.support.word_errors import wer
from workers.engines.espeak import EspeakSynthesizer
from workers.engines.multilingual import MultilingualSynthesizer
from workers.engines.piper import PiperSynthesizer
from workers.engines.whisper import WhisperRecognizer
from workers.models import catalogue
from workers.models.catalogue import ModelError, ModelFile, digest, find, voices
from workers.settings import PiperSettings, StorageSettings

pytestmark = pytest.mark.engines

SENTENCES = (
    "How many legs does a spider have?",
    "The old lighthouse keeper climbed the stairs every evening and lit the great lamp.",
    "I would like to know how people live on the coast in winter.",
)


def at_16_khz(sound: Sound) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Resample for Whisper."""
    frame = AudioFrame.from_ndarray(sound.samples[None], format="s16", layout="mono")
    frame.sample_rate = sound.sample_rate
    resampler = AudioResampler(format="flt", layout="mono", rate=16_000)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([each.to_ndarray()[0] for each in frames]).astype(np.float32)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_is_said_is_understood(
    synthesizer: PiperSynthesizer, recognizer: WhisperRecognizer, sentence: str
) -> None:
    sound = synthesizer.synthesize(sentence, "en", None)
    heard = recognizer.recognize(at_16_khz(sound), None, threading.Event())
    assert wer(sentence, heard.text) < 0.25
    assert heard.language == "en"


def test_sentences_at_once_are_as_good_as_one_by_one(
    synthesizer: PiperSynthesizer, recognizer: WhisperRecognizer
) -> None:
    with ThreadPoolExecutor(4) as pool:
        sounds = list(pool.map(lambda text: synthesizer.synthesize(text, "en", None), SENTENCES * 4))
    for sentence, sound in zip(SENTENCES, sounds[-3:], strict=True):
        assert wer(sentence, recognizer.recognize(at_16_khz(sound), "en", threading.Event()).text) < 0.25


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us"])
@pytest.mark.parametrize("voice", [None, "en_US-joe-medium", "of-yesterday"])
def test_the_voice_is_chosen(synthesizer: PiperSynthesizer, language: str, voice: str | None) -> None:
    sound = synthesizer.synthesize("Yes.", language, voice)
    assert sound.sample_rate == 22_050
    assert sound.samples.dtype == np.int16
    assert 0.2 < len(sound.samples) / sound.sample_rate < 3


def test_a_language_without_a_voice_is_refused(synthesizer: PiperSynthesizer) -> None:
    with pytest.raises(ApplicationError, match="JUNE_PIPER_VOICES") as failed:
        synthesizer.synthesize("Guten Tag.", "de", "en_US-joe-medium")
    assert failed.value.type == "voice-unavailable"


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "...", "\u200b", "😀", "[[", "[[[[]]]]", "\ud83d", "你好", "\x1b[0m\n\n"]
)
def test_odd_text_does_no_harm(synthesizer: PiperSynthesizer, text: str) -> None:
    sound = synthesizer.synthesize(text, "en", None)
    assert len(sound.samples) < 10 * sound.sample_rate


def test_the_longest_text_is_bounded(synthesizer: PiperSynthesizer) -> None:
    sound = synthesizer.synthesize("W" * MAX_CHARS, "en", None)
    assert len(sound.samples) < 300 * sound.sample_rate


def test_phonemes_in_brackets_are_text(synthesizer: PiperSynthesizer) -> None:
    plain = synthesizer.synthesize("a b c", "en", None)
    assert len(synthesizer.synthesize("a [[" + "x" * 200 + "]] c", "en", None).samples) != len(plain.samples)


def test_a_voice_needs_its_configuration(tmp_path: Path) -> None:
    voice = tmp_path / "voice.onnx"
    voice.write_bytes(b"")
    with pytest.raises(ModelError, match=r"voice\.onnx\.json"):
        PiperSynthesizer(PiperSettings(voices=(str(voice),)), StorageSettings())


@pytest.fixture
def pulled_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with joe under the name of a German voice; not among those of the settings."""
    joe = find("en_US-joe-medium", StorageSettings().models)
    config = json.loads(Path(f"{joe}.json").read_text())
    config["language"]["code"] = "de_DE"
    folder = tmp_path / "models" / "de_DE-thorsten-medium"
    folder.mkdir(parents=True)
    (folder / "de_DE-thorsten-medium.onnx").symlink_to(joe)
    (folder / "de_DE-thorsten-medium.onnx.json").write_text(json.dumps(config))
    (folder / "MODEL_CARD").write_text("CC0")
    files = tuple(
        ModelFile(name=path.name, bytes=path.stat().st_size, md5=digest(path, "md5")) for path in folder.iterdir()
    )
    voice = voices()["de_DE-thorsten-medium"].model_copy(update={"files": files})
    monkeypatch.setattr(catalogue, "voices", lambda: {voice.name: voice})
    (tmp_path / "models" / "en_US-joe-medium").symlink_to(joe.parent)
    return tmp_path


def test_a_voice_that_was_pulled_speaks_its_language(pulled_folder: Path) -> None:
    piper = PiperSynthesizer(PiperSettings(), StorageSettings(home=pulled_folder))
    assert piper.speaks("de")
    assert not piper.speaks("fr")
    with ThreadPoolExecutor(4) as pool:
        sounds = list(pool.map(lambda _: piper.synthesize("Guten Tag.", "de", None), range(4)))
    assert all(0.3 < len(sound.samples) / sound.sample_rate < 3 for sound in sounds)
    assert len(piper.synthesize("Yes.", "en", "de_DE-thorsten-medium").samples)


def test_a_pulled_voice_that_was_damaged_is_refused_and_the_fallback_speaks(pulled_folder: Path) -> None:
    piper = PiperSynthesizer(PiperSettings(), StorageSettings(home=pulled_folder))
    (pulled_folder / "models/de_DE-thorsten-medium/de_DE-thorsten-medium.onnx.json").write_text("{}")
    with pytest.raises(ModelError, match="june models pull de_DE-thorsten-medium"):
        piper.synthesize("Guten Tag.", "de", None)
    sound = MultilingualSynthesizer(piper, EspeakSynthesizer()).synthesize("Guten Tag.", "de", None)
    assert len(sound.samples) > sound.sample_rate / 4


def test_piper_and_espeak_speak_at_once(synthesizer: PiperSynthesizer, recognizer: WhisperRecognizer) -> None:
    fallback = EspeakSynthesizer()
    with ThreadPoolExecutor(6) as pool:
        robotic = [pool.submit(fallback.synthesize, "Buenos días, amigos.", "es") for _ in range(200)]
        sounds = list(pool.map(lambda text: synthesizer.synthesize(text, "en", None), SENTENCES * 4))
    lengths = [len(each.result().samples) / 22_050 for each in robotic]
    assert max(lengths) - min(lengths) < 0.2
    for sentence, sound in zip(SENTENCES * 4, sounds, strict=True):
        assert wer(sentence, recognizer.recognize(at_16_khz(sound), "en", threading.Event()).text) < 0.25
