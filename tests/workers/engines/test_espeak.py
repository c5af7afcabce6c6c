"""espeak-ng from Piper's extension module: every language, odd texts, and Piper beside it."""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES as WHISPER_LANGUAGES
from hypothesis import given
from hypothesis import strategies as st
from piper.phonemize_espeak import EspeakPhonemizer

from activities.synthesize import MAX_CHARS
from tests.support.languages import SENTENCES
from workers.engines import espeak
from workers.engines.espeak import ESPEAK_LOCK, MAX_SECONDS, EspeakSynthesizer, EspeakUnavailableError, open_library


@pytest.fixture(scope="module")
def speaker() -> EspeakSynthesizer:
    return EspeakSynthesizer()


def seconds(speaker: EspeakSynthesizer, text: str, language: str) -> float:
    """Speak; return how long that took to say."""
    sound = speaker.synthesize(text, language)
    assert sound.sample_rate == 22_050
    assert sound.samples.dtype == np.int16
    return len(sound.samples) / sound.sample_rate


def test_there_is_a_sentence_for_each_language_of_whisper() -> None:
    assert set(SENTENCES) == set(WHISPER_LANGUAGES)


@pytest.mark.parametrize("language", SENTENCES)
def test_every_language_is_spoken_at_the_speed_of_speech(speaker: EspeakSynthesizer, language: str) -> None:
    sentence = SENTENCES[language]
    sound = speaker.synthesize(sentence, language)
    # A Chinese character is a syllable; letters that are spelled out one by one take longer than either.
    slowest = 0.3 if language in {"zh", "yue"} else 0.2
    assert 0.04 < len(sound.samples) / sound.sample_rate / len(sentence) < slowest
    assert np.abs(sound.samples.astype(int)).max() > 10_000


@pytest.mark.parametrize("language", ["xx", "", "../..", "tlh", "en\0", "eo", "ga", "de_DE", "PT-br", "x" * 500])
def test_other_languages_are_spoken_too(speaker: EspeakSynthesizer, language: str) -> None:
    assert seconds(speaker, "One, two, three.", language) > 0.5


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b", "\x01", "..."])
def test_nothing_to_say_is_no_failure(speaker: EspeakSynthesizer, text: str) -> None:
    assert seconds(speaker, text, "de") < 2


@pytest.mark.parametrize(
    ("hostile", "plain"),
    [
        ("<speak><prosody rate='10%'>Hallo", "Hallo"),
        ("[[h@l'oU h@l'oU]]", ""),
        ("eins \x01100S zwei", "eins"),
        ("<audio src='file:///etc/passwd'/>", ""),
    ],
)
def test_instructions_are_read_as_text(speaker: EspeakSynthesizer, hostile: str, plain: str) -> None:
    assert seconds(speaker, hostile, "de") > seconds(speaker, plain, "de") + 0.5


@given(st.text(max_size=200), st.sampled_from([*SENTENCES, "xx"]))
def test_any_text_in_any_language_is_spoken_or_has_nothing_to_say(text: str, language: str) -> None:
    sound = EspeakSynthesizer().synthesize(text, language)
    assert sound.samples.size or not any("a" <= character <= "z" for character in text)


@pytest.mark.parametrize("text", ["W" * MAX_CHARS, "9" * MAX_CHARS, "鑫" * MAX_CHARS, "½" * MAX_CHARS])
@pytest.mark.parametrize("language", ["en", "ja", "ru"])
def test_the_longest_text_is_bounded(speaker: EspeakSynthesizer, text: str, language: str) -> None:
    assert 1 < seconds(speaker, text, language) < MAX_SECONDS + 1


def test_threads_share_the_library_with_pipers_phonemes(speaker: EspeakSynthesizer) -> None:
    phonemizer = EspeakPhonemizer()

    def phonemes(text: str) -> list[list[str]]:
        with ESPEAK_LOCK:
            return phonemizer.phonemize("en-us", text)

    languages = ("de", "es", "fr", "ru", "hi", "zh")
    # What a voice says varies by a few samples with what was said before, as waves are continued.
    alone = {code: seconds(speaker, SENTENCES[code], code) for code in languages}
    expected = phonemes("the old lighthouse")
    with ThreadPoolExecutor(6) as pool:
        spoken = [(code, pool.submit(seconds, speaker, SENTENCES[code], code)) for code in languages * 15]
        written = [pool.submit(phonemes, "the old lighthouse") for _ in range(90)]
    assert all(each.result() == expected for each in written)
    assert all(abs(each.result() - alone[code]) < 0.2 for code, each in spoken)


@pytest.fixture
def closed_library() -> None:
    """Have the library opened anew, here and in the next test."""
    open_library.cache_clear()


@pytest.mark.usefixtures("closed_library")
class TestWithoutTheLibrary:
    """What is said where Piper's copy is not what it was."""

    def test_piper_without_an_extension(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(espeak, "find_spec", lambda _name: None)
        with pytest.raises(EspeakUnavailableError, match="no espeakbridge"):
            EspeakSynthesizer()

    def test_an_extension_without_the_symbols(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ctypes, "CDLL", lambda _path: object())
        with pytest.raises(EspeakUnavailableError, match="does not export espeak_Initialize"):
            EspeakSynthesizer()

    def test_an_extension_that_cannot_be_opened(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(espeak, "EXTENSION_SUFFIXES", [".so"])
        (tmp_path / "espeakbridge.so").write_bytes(b"not a library")
        monkeypatch.setattr(
            espeak, "find_spec", lambda _name: type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
        )
        with pytest.raises(EspeakUnavailableError, match="cannot be opened"):
            EspeakSynthesizer()
