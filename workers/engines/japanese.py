"""Japanese text in kana: espeak-ng calls each kanji "Chinese letter"."""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sudachipy import Tokenizer

KANJI = re.compile(r"[々〇\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
PARTICLES = {"は": "ワ", "へ": "エ"}
"""Said otherwise than they are written."""
COMMON = {
    "私": "ワタシ",
    "日本": "ニホン",
    "日本語": "ニホンゴ",
    "日本人": "ニホンジン",
    "明日": "アシタ",
    "今日": "キョウ",
    "こんにちは": "コンニチワ",
    "こんばんは": "コンバンワ",
}
"""Words that people say otherwise than the dictionary's first reading has it."""
COUNTED = {
    "1日": "ツイタチ",
    "2日": "フツカ",
    "3日": "ミッカ",
    "4日": "ヨッカ",
    "5日": "イツカ",
    "6日": "ムイカ",
    "7日": "ナノカ",
    "8日": "ヨウカ",
    "9日": "ココノカ",
    "10日": "トオカ",
    "20日": "ハツカ",
    "1人": "ヒトリ",
    "2人": "フタリ",
}
"""Digits and a counter that have a word of their own; of other numbers the days are ニチ, the people ニン."""
_COUNTED = re.compile(r"(?<!\d)(\d+)([日人])(?!本)")
_TO_READ = re.compile(f"{KANJI.pattern}|[はへ]")


def kana(text: str) -> str:
    """Return ``text`` with its words in katakana as they are said; text that espeak-ng reads as it is stays.

    The dictionary is loaded by the first text that needs it: 0.1 s and 60 MB.
    """
    if not _TO_READ.search(text):
        return text
    counted = _COUNTED.sub(lambda found: COUNTED.get(found[0], found[1] + {"日": "ニチ", "人": "ニン"}[found[2]]), text)
    spoken: list[str] = []
    before = ""
    for word in _tokenizer().tokenize(counted):
        surface = word.surface()
        if surface in PARTICLES and word.part_of_speech()[0] == "助詞":
            spoken.append(PARTICLES[surface])
        elif surface in COMMON:
            spoken.append(COMMON[surface])
        elif surface == "日" and before.endswith("曜"):
            spoken.append("ビ")
        elif KANJI.search(surface):
            spoken.append(word.reading_form() or surface)
        else:  # digits as well: the dictionary would read them one by one
            spoken.append(surface)
        before = surface
    return "".join(spoken)


@cache
def _tokenizer() -> "Tokenizer":
    from sudachipy import Dictionary

    return Dictionary(dict="small").tokenizer()
