"""Languages of sentences, short ones by what is likely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engines.language_detector import LanguageDetector

SENTENCES = {
    "en": ("What time is it?", "Paris is the capital of France.", "It is 3 pm."),
    "de": ("Welcher Tag ist heute?", "Die Hauptstadt von Frankreich ist Paris.", "Danke schön!"),
    "fr": ("Je voudrais un café.", "La tour Eiffel est à Paris.", "Bonjour !"),
    "es": ("¿Qué hora es?", "La capital de Francia es París.", "Sí, claro."),
    "it": ("La capitale della Francia è Parigi.",),
    "pt": ("A capital da França é Paris.",),
    "nl": ("De hoofdstad van Frankrijk is Parijs.", "Ja, dat is goed."),
    "pl": ("Stolicą Francji jest Paryż.",),
    "sv": ("Huvudstaden i Frankrike är Paris.",),
    "ru": ("Столица Франции — Париж.",),
    "uk": ("Це українська мова.",),
    "el": ("Η πρωτεύουσα της Γαλλίας είναι το Παρίσι.",),
    "tr": ("Fransa'nın başkenti Paris'tir.",),
    "ar": ("عاصمة فرنسا هي باريس.",),
    "hi": ("फ्रांस की राजधानी पेरिस है।",),
    "ja": ("フランスの首都はパリです。", "はい。"),
    "ko": ("프랑스의 수도는 파리입니다.",),
    "zh": ("法国的首都是巴黎。", "你好"),
}
SHORT = {
    "en": ("Yes.", "Thanks!", "OK", "No.", "Of course.", "Sure."),
    "de": ("Ja, gerne.", "Nein.", "Danke!", "Klar.", "Gut so."),
    "fr": ("Oui", "Merci.", "D'accord.", "Bien sûr."),
    "es": ("Gracias", "Vale.", "Sí.", "Claro."),
    "it": ("Va bene.", "Grazie."),
    "pt": ("Obrigado.",),
}


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetector()


@pytest.mark.parametrize(("language", "text"), [(code, text) for code in SENTENCES for text in SENTENCES[code]])
def test_a_sentence_tells_its_language_whatever_is_likely(detector: LanguageDetector, language: str, text: str) -> None:
    assert detector.detect(text, ()) == language
    assert detector.detect(text, (language, "en")) == language
    if len(text) > 20:
        other = "de" if language != "de" else "en"
        assert detector.detect(text, (other,)) == language


@pytest.mark.parametrize(("language", "text"), [(code, text) for code in SHORT for text in SHORT[code]])
def test_a_short_text_is_in_the_likely_language(detector: LanguageDetector, language: str, text: str) -> None:
    assert detector.detect(text, (language,)) == language
    assert detector.detect(text, (language, "en" if language != "en" else "de")) == language


def test_what_has_no_letters_has_no_language(detector: LanguageDetector) -> None:
    for text in ("", "42.", "…", "🎉"):
        assert detector.detect(text, ("de",)) is None


@given(text=st.text(max_size=200), likely=st.lists(st.sampled_from(["en", "de", "xx", "ja", ""]), max_size=3))
def test_any_text_has_a_language_or_none(text: str, likely: list[str]) -> None:
    language = DETECTOR.detect(text, likely)
    assert language is None or len(language) == 2


DETECTOR = LanguageDetector()
