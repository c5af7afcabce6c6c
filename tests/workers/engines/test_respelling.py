"""Languages in the letters of others."""

import pytest

from tests.support.languages import SENTENCES
from workers.engines.respelling import RESPELLED, readable, respell


@pytest.mark.parametrize(
    ("language", "text", "respelled"),
    [
        ("yi", "גוטן מאָרגן, ווי גייט עס?", "gutn morgn, wi gejt ess?"),
        ("yi", "\ufb2e\u05f2 שײן", "aej schejn"),
        ("lo", "ສະບາຍດີ", "สะบายดี"),
        ("tg", "ҳеҷ имрӯз ширинӣ", "һеж имрөз ширини"),
        ("ps", "څنګه", "سنگہ"),
        ("yo", "ọjọ́ ṣọ", "ojo sho"),
        ("ha", "ƙasa ɗaya", "kasa daya"),
        ("km", "ភាសា", "phasa"),
        ("de", "Straße", "Straße"),
    ],
)
def test_a_word_is_respelled(language: str, text: str, respelled: str) -> None:
    assert respell(text, language) == respelled


@pytest.mark.parametrize("language", sorted(RESPELLED))
def test_punctuation_and_digits_stay(language: str) -> None:
    assert "12, 3?" in respell("12, 3?", language)


@pytest.mark.parametrize("language", ["bo", "ja", "km", "lo", "ps", "tg", "yi", "yo"])
def test_letters_that_the_voice_lacks_are_replaced(language: str) -> None:
    assert respell(SENTENCES[language], language) != SENTENCES[language]


@pytest.mark.parametrize(
    ("language", "text", "read"),
    [
        ("en", "Nguyễn, Đà Nẵng", "Nguyen, Đà Nang"),
        ("vi", "Nguyễn", "Nguyễn"),
        ("cy", "ẁ", "ẁ"),
        ("de", "STRAẞE", "STRASsE"),
        ("ja", "２０２４年 ﾊﾞｽ", "2024年 バス"),
        ("en", "ＡＢＣ ﬁne 𝐱 ① Ⅷ", "ABC fine x 1 VIII"),
        ("fr", "e\u0301te\u0301", "été"),
        ("de", "ʻOkina", "'Okina"),
        ("uz", "oʻzbek oʼzbek", "o'zbek o'zbek"),
        ("fa", "می\u200cخواهم", "می\u200cخواهم"),
        ("en", "👩\u200d🚀", "👩🚀"),
        ("de", "Donau\u00addampf\u200eschiff", "Donaudampfschiff"),
        ("he", "שָׁלוֹם \ufb2a", "שלום ש"),
        ("yi", "אָ", "אָ"),
        ("ar", "\ufee3\ufeae\ufea3\ufe92\ufe8e", "مرحبا"),
        ("ar", "\ufdfa" * 500, ("صلى الله عليه وسلم" * 500)[:1000]),
        ("en", "a\x01\x00b\u200bc\ud83d", "a  b c "),
        ("ru", "Ёж, №5, 12²", "Ёж, №5, 12²"),
    ],
)
def test_letters_that_would_be_spelled_out_are_replaced(language: str, text: str, read: str) -> None:
    assert readable(text, language) == read
