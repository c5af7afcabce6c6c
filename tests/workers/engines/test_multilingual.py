"""Nothing is silent: which engine speaks what, and that Whisper understands the shipped voices."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.synthesize import Sound
from tests.support.languages import SENTENCES
from tests.support.word_errors import wer
from tests.workers.engines.test_piper import at_16_khz
from tests.workers.engines.test_scripts import MIXED
from workers.engines.espeak import EspeakSynthesizer
from workers.engines.multilingual import PAUSE_SECONDS, MultilingualSynthesizer, join
from workers.engines.piper import PiperSynthesizer
from workers.engines.whisper import WhisperRecognizer

RATE = 16_000


class Voices:
    """An engine with voices for some languages; writes down what it is asked for."""

    def __init__(self, *languages: str, says: int = 1600) -> None:
        self.languages = languages
        self.says = says
        self.asked: list[tuple[str, str, str | None]] = []

    def speaks(self, language: str) -> bool:
        return language in self.languages

    def synthesize(self, text: str, language: str, voice: str | None = None) -> Sound:
        self.asked.append((text, language, voice))
        if self.says < 0:
            raise ImportError("g2pW is not installed")
        return Sound(np.full(self.says, 1000, np.int16), RATE)


@pytest.mark.parametrize(
    ("text", "language", "by_voice", "by_fallback"),
    [
        ("Hello.", "en", [("Hello.", "en")], []),
        ("Hello.", "EN_us", [("Hello.", "en")], []),
        ("Guten Tag.", "de", [], [("Guten Tag.", "de")]),
        ("Say привет.", "en", [("Say ", "en")], [("привет.", "ru")]),
        ("你好 is hello", "de", [("你好 ", "zh")], [("is hello", "de")]),
    ],
)
def test_the_best_engine_speaks_each_piece(
    text: str, language: str, by_voice: list[tuple[str, str]], by_fallback: list[tuple[str, str]]
) -> None:
    voices, fallback = Voices("en", "zh"), Voices()
    sound = MultilingualSynthesizer(voices, fallback).synthesize(text, language, "mine")
    assert voices.asked == [(*piece, "mine") for piece in by_voice]
    assert [asked[:2] for asked in fallback.asked] == by_fallback
    pauses = len(by_voice + by_fallback) - 1
    assert len(sound.samples) == 1600 * (pauses + 1) + round(PAUSE_SECONDS * RATE) * pauses


@pytest.mark.parametrize("says", [0, -1])
def test_a_voice_that_is_silent_or_fails_is_replaced(says: int, caplog: pytest.LogCaptureFixture) -> None:
    fallback = Voices()
    sound = MultilingualSynthesizer(Voices("zh", says=says), fallback).synthesize("你好", "zh", None)
    assert len(sound.samples) == 1600
    assert ("g2pW" in caplog.text) is (says < 0)
    assert MultilingualSynthesizer(Voices("zh", says=0), fallback).synthesize("…", "zh", None).samples.size == 0


def test_without_a_fallback_the_sentences_own_voice_reads_all() -> None:
    voices = Voices("en")
    MultilingualSynthesizer(voices, None).synthesize("Say привет.", "en", None)
    assert voices.asked == [("Say ", "en", None), ("привет.", "en", None)]
    with pytest.raises(ApplicationError, match="JUNE_PIPER_FALLBACK") as refused:
        MultilingualSynthesizer(voices, None).synthesize("Guten Tag.", "de", None)
    assert refused.value.type == "voice-unavailable"
    with pytest.raises(ImportError):
        MultilingualSynthesizer(Voices("zh", says=-1), None).synthesize("你好", "zh", None)


@given(
    st.lists(st.tuples(st.sampled_from([8000, 16_000, 22_050, 24_000]), st.integers(0, 3000)), min_size=1, max_size=5)
)
def test_joined_sounds_last_as_long_as_they_did(parts: list[tuple[int, int]]) -> None:
    joined = join([Sound(np.full(count, 9, np.int16), rate) for rate, count in parts])
    spoken = [count / rate for rate, count in parts if count]
    assert joined.sample_rate == max(rate for rate, _ in parts)
    expected = sum(spoken) + PAUSE_SECONDS * max(0, len(spoken) - 1)
    assert abs(len(joined.samples) / joined.sample_rate - expected) < 0.005 * len(parts)


@pytest.mark.parametrize("language", SENTENCES)
def test_every_language_of_whisper_is_spoken(language: str) -> None:
    synthesizer = MultilingualSynthesizer(Voices(), EspeakSynthesizer())
    for spoken_as in (language, "en", "ja"):  # whatever language the sentence is thought to be in
        assert len(synthesizer.synthesize(SENTENCES[language], spoken_as, None).samples) > RATE / 2


@pytest.fixture(scope="module")
def multilingual(synthesizer: PiperSynthesizer) -> MultilingualSynthesizer:
    """What june ships."""
    return MultilingualSynthesizer(synthesizer, EspeakSynthesizer())


TRIES = 3
"""No voice says the same twice alike, and Whisper base understands espeak-ng's German most of the time."""


@pytest.mark.engines
@pytest.mark.parametrize(
    ("language", "sentence", "errors"),
    [
        ("de", "Berlin ist die Hauptstadt von Deutschland und hat viele Museen.", 0.5),
        ("es", "Buenos días, me llamo Carlos y vivo en una casa cerca de la playa.", 0.5),
        ("en", "The old lighthouse keeper climbed the stairs every evening.", 0.25),
    ],
)
def test_what_the_shipped_voices_say_is_understood(
    multilingual: MultilingualSynthesizer, recognizer: WhisperRecognizer, language: str, sentence: str, errors: float
) -> None:
    heard = []
    for _ in range(TRIES):
        sound = at_16_khz(multilingual.synthesize(sentence, language, None))
        heard.append(recognizer.recognize(sound, None, threading.Event()))
        if heard[-1].language == language and wer(sentence, heard[-1].text) <= errors:
            return
    pytest.fail(str(heard))


@pytest.mark.engines
@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("fr", "Bonjour, comment allez-vous aujourd'hui ?"),
        ("ja", "今日は学校に行きました。明日は友達と東京へ行きます。"),
        ("ja", "こんにちは、私は日本語を勉強しています。"),
    ],
)
def test_french_and_japanese_are_spoken_by_espeak_at_the_speed_of_speech(
    multilingual: MultilingualSynthesizer, language: str, sentence: str
) -> None:
    sound = multilingual.synthesize(sentence, language, "en_US-joe-medium")
    assert np.array_equal(sound.samples, sound.samples)
    assert 0.04 < len(sound.samples) / sound.sample_rate / len(sentence) < 0.2


@pytest.mark.engines
def test_other_scripts_in_an_english_sentence_are_spoken_and_the_english_understood(
    multilingual: MultilingualSynthesizer, synthesizer: PiperSynthesizer, recognizer: WhisperRecognizer
) -> None:
    sound = multilingual.synthesize(MIXED, "en", None)
    heard = recognizer.recognize(at_16_khz(sound), "en", threading.Event()).text.lower()
    assert "chinese letter" not in heard
    assert "in chinese you say" in heard
    assert "now you try" in heard
    alone = synthesizer.synthesize("In Chinese you say in Russian and in Japanese Now you try.", "en", None)
    assert len(sound.samples) > len(alone.samples) + 1.5 * 22_050
