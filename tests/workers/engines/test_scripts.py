"""Where a sentence is cut, and in which language each piece is spoken."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.languages import SENTENCES
from workers.engines.scripts import MAX_RUNS, OWN_SCRIPTS, runs

MIXED = "In Chinese you say 你好, in Russian привет, and in Japanese ありがとう. Now you try."


@pytest.mark.parametrize(
    ("text", "language", "pieces"),
    [
        (
            MIXED,
            "en",
            [
                ("In Chinese you say ", "en"),
                ("你好, ", "zh"),
                ("in Russian ", "en"),
                ("привет, ", "ru"),
                ("and in Japanese ", "en"),
                ("ありがとう. ", "ja"),
                ("Now you try.", "en"),
            ],
        ),
        ("你好", "en", [("你好", "zh")]),
        ("Hello world", "ja", [("Hello world", "en")]),
        ("今日は means 'today'", "en", [("今日は ", "ja"), ("means 'today'", "en")]),
        ("東京、大阪、京都に行きました。", "en", [("東京、大阪、京都に行きました。", "ja")]),
        ("東京タワー", "en", [("東京タワー", "ja")]),
        ("日本 and 中国", "ja", [("日本 ", "ja"), ("and ", "en"), ("中国", "ja")]),
        ("你好 / こんにちは / 안녕", "en", [("你好 / ", "zh"), ("こんにちは / ", "ja"), ("안녕", "ko")]),
        ("私は日本語を勉強します", "zh", [("私は日本語を勉強します", "ja")]),
        ("你好用日语说是こんにちは。", "zh", [("你好用日语说是", "zh"), ("こんにちは。", "ja")]),
        ("我喜欢 Python 3 编程", "zh", [("我喜欢 ", "zh"), ("Python", "en"), (" 3 编程", "zh")]),
        ("早晨，你今日點呀？", "yue", [("早晨，你今日點呀？", "yue")]),
        ("한국어 漢字", "ko", [("한국어 ", "ko"), ("漢字", "zh")]),
        ("Я люблю Python.", "ru", [("Я люблю ", "ru"), ("Python.", "en")]),
        ("Добар dan", "sr", [("Добар dan", "sr")]),
        ("Das heißt привіт!", "de", [("Das heißt ", "de"), ("привіт!", "uk")]),
        ("як Python", "uk", [("як ", "uk"), ("Python", "en")]),
        ("فارسی", "fa", [("فارسی", "fa")]),
        ("سلام is hello", "en", [("سلام ", "ar"), ("is hello", "en")]),
        ("ਪੰਜਾਬੀ پنجابی", "pa", [("ਪੰਜਾਬੀ ", "pa"), ("پنجابی", "ur")]),
        ("say پدر and ٹماٹر", "en", [("say ", "en"), ("پدر ", "fa"), ("and ", "en"), ("ٹماٹر", "ur")]),
        ("Қазақ, ЂАК", "en", [("Қазақ, ЂАК", "kk")]),
        ("Ўсё means all", "en", [("Ўсё ", "be"), ("means all", "en")]),
        ("ћевап", "de", [("ћевап", "sr")]),
        ("привіт", "ru", [("привіт", "ru")]),
        ("北京 2008 was great", "en", [("北京", "zh"), (" 2008 was great", "en")]),
        (
            "क and שלום and Ελλάδα",
            "en",
            [("क ", "hi"), ("and ", "en"), ("שלום ", "he"), ("and ", "en"), ("Ελλάδα", "el")],
        ),
        ("the angle α, 5 µm, 3 kΩ", "en", [("the angle α, 5 µm, 3 kΩ", "en")]),
        ("pаypаl", "en", [("pаypаl", "en")]),  # with Cyrillic letters
        ("ﾊﾝｶｸ and ＦＵＬＬ", "en", [("ﾊﾝｶｸ ", "ja"), ("and ＦＵＬＬ", "en")]),
        ("e\u0301te\u0301 ʻokina", "fr", [("e\u0301te\u0301 ʻokina", "fr")]),
        ("1, 2, 3!", "zh", [("1, 2, 3!", "zh")]),
        ("", "ja", [("", "ja")]),
    ],
)
def test_a_sentence_is_cut(text: str, language: str, pieces: list[tuple[str, str]]) -> None:
    assert runs(text, language) == pieces


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_in_one_script_stays_whole(language: str) -> None:
    assert runs(SENTENCES[language], language) == [(SENTENCES[language], language)]


@given(
    st.text(alphabet=st.sampled_from("ab я你こ한 α1.,\u0301שกᏣ\ud83d"), max_size=80) | st.text(max_size=80),
    st.sampled_from([*OWN_SCRIPTS, "de", "xx", ""]),
)
def test_nothing_is_lost_and_the_pieces_are_few(text: str, language: str) -> None:
    pieces = runs(text, language)
    assert "".join(piece.text for piece in pieces) == text
    assert len(pieces) <= MAX_RUNS
    assert all(one.language != other.language for one, other in pairwise(pieces))


def test_a_sentence_of_many_changes_is_left_to_its_own_voice() -> None:
    text = "а b " * 100
    assert runs(text, "en") == [(text, "en")]
