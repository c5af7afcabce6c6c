"""Cut a sentence where its script changes, and tell in which language each piece is to be spoken."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

MAX_RUNS = 24
"""Of one sentence; one that changes its script more often is spoken by its own voice alone."""
HAN, KANA, LATIN = "HAN", "KANA", "LATIN"
_SCRIPTS = {"CJK": HAN, "IDEOGRAPHIC": HAN, "BOPOMOFO": HAN, "HIRAGANA": KANA, "KATAKANA": KANA}
_SCRIPTS |= {"KATAKANA-HIRAGANA": KANA}
_WIDTHS = {"FULLWIDTH", "HALFWIDTH"}
SPOKEN_IN = {
    "LATIN": "en",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "HEBREW": "he",
    "ARABIC": "ar",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "ETHIOPIC": "am",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "TIBETAN": "bo",
    "MYANMAR": "my",
    "KHMER": "km",
    "HANGUL": "ko",
    "KANA": "ja",
    "HAN": "zh",
}
"""Language (ISO 639-1) by script (the first word of Unicode's names of its letters), in sentences of another script."""
OWN_SCRIPTS = {
    **{code: frozenset({script}) for script, code in SPOKEN_IN.items()},
    **dict.fromkeys(("ba", "be", "bg", "kk", "ky", "mk", "mn", "tg", "tt", "uk"), frozenset({"CYRILLIC"})),
    **dict.fromkeys(("fa", "ps", "sd", "ug", "ur"), frozenset({"ARABIC"})),
    "yi": frozenset({"HEBREW"}),
    "as": frozenset({"BENGALI"}),
    "yue": frozenset({HAN}),
    **dict.fromkeys(("mr", "ne", "sa"), frozenset({"DEVANAGARI"})),
    "sr": frozenset({"CYRILLIC", LATIN}),
    "ja": frozenset({HAN, KANA}),
}
"""Scripts by language (ISO 639-1); all others are written in Latin letters."""
_ALPHABETS = {LATIN, "CYRILLIC", "GREEK"}
_JAPANESE_SENTENCE = re.compile("hk{1,3}h")
"""Kanji (h) with particles or endings in kana (k) between them."""

TELLING_LETTERS = (
    *(("ru", "kk", "әғқңөұүһ"), ("ru", "uk", "іїєґ"), ("ru", "be", "ў"), ("ru", "mk", "ѓќѕ"), ("ru", "sr", "ђћљњџј")),
    *(("ar", "ur", "ٹڈڑںےہھ"), ("ar", "fa", "پچژگکی"), ("bn", "as", "ৰৱ")),
)
"""Letters that the first language lacks and the second has: words in them are spoken in the second."""


class Run(NamedTuple):
    """A piece of a sentence."""

    text: str
    language: str
    """ISO 639-1 code."""


def runs(text: str, language: str) -> list[Run]:
    """Cut ``text`` where its script changes; together the pieces are the text.

    Digits and punctuation go with the letters before them, digits with the sentence's own language where they touch
    it. A single Greek letter is a symbol and stays where it is; so does a letter that only looks like its neighbours,
    as a Cyrillic one within a Latin word.

    Args:
        text: a sentence.
        language: the sentence's own (ISO 639-1), for what is in one of its scripts.

    """
    own = OWN_SCRIPTS.get(language, OWN_SCRIPTS["en"])
    if text.isascii() and LATIN in own:
        return [Run(text, language)]
    scripts = [_script(character) for character in text]
    if own.issuperset(found := {*scripts} - {""}) or not found:
        return [Run(text, language)]
    _unify_alphabets(scripts, own)
    spoken = [language if script in own else SPOKEN_IN.get(script, "") for script in scripts]
    _tell_japanese(text, scripts, spoken, language)
    if language == "pa":  # in Pakistan in the letters of Urdu
        spoken = ["ur" if code == "ar" else code for code in spoken]
    _give_neutral_away(text, spoken, language)
    cut: list[Run] = []
    end = 0
    for code, group in groupby(spoken):
        start, end = end, end + len(list(group))
        piece = text[start:end]
        cut.append(Run(piece, code if code == language else _by_letters(piece, code)))
    return cut if len(cut) <= MAX_RUNS else [Run(text, language)]


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """Return the script of a letter or of the mark on one; empty for digits, signs and spaces."""
    if unicodedata.category(character)[0] not in "LM" and character != "〇":
        return ""
    first, _, rest = unicodedata.name(character, "").partition(" ")
    word = rest.split(" ")[0] if first in _WIDTHS else first
    script = _SCRIPTS.get(word, word)
    return script if script in SPOKEN_IN else ""


def _by_letters(piece: str, language: str) -> str:
    """Return the language of a piece in another script, more closely than its script tells it."""
    letters = set(piece.lower())
    return next((other for first, other, own in TELLING_LETTERS if first == language and letters & set(own)), language)


def _spans(length: int, *, inside: Iterator[bool]) -> Iterator[range]:
    """Yield the positions of each stretch that is inside."""
    start = 0
    for is_inside, group in groupby(inside):
        stop = start + len(list(group))
        if is_inside:
            yield range(start, min(stop, length))
        start = stop


def _unify_alphabets(scripts: list[str], own: frozenset[str]) -> None:
    """Give each word in Latin, Cyrillic and Greek letters one script, that of most of them; in place."""
    for word in _spans(len(scripts), inside=(script in _ALPHABETS for script in scripts)):
        letters = [scripts[index] for index in word]
        chosen = max(dict.fromkeys(letters), key=lambda script: (letters.count(script), script in own))
        if len(word) == 1 and chosen == "GREEK" not in own:
            chosen = ""
        for index in word:
            scripts[index] = chosen


def _tell_japanese(text: str, scripts: list[str], spoken: list[str], language: str) -> None:
    """Have characters that Chinese and Japanese share spoken in Japanese where kana stands beside them; in place."""
    if language == "ja":
        return
    joined = (
        script in {HAN, KANA} or "\u3000" < character < "\u3040" or character == "・"
        for character, script in zip(text, scripts, strict=True)
    )
    for stretch in _spans(len(text), inside=joined):
        letters = "".join({HAN: "h", KANA: "k"}.get(scripts[index], "") for index in stretch)
        chinese = language in {"zh", "yue"} and not _JAPANESE_SENTENCE.search(letters)
        if "k" in letters and not chinese:
            for index in stretch:
                spoken[index] = "ja" if spoken[index] else ""


def _give_neutral_away(text: str, spoken: list[str], language: str) -> None:
    """Fill in the language of digits, signs and spaces; in place."""
    for gap in _spans(len(spoken), inside=(not code for code in spoken)):
        before = spoken[gap.start - 1] if gap.start else ""
        after = spoken[gap.stop] if gap.stop < len(spoken) else ""
        has_digits = any(text[index].isnumeric() for index in gap)
        code = language if has_digits and language in {before, after} else before or after or language
        for index in gap:
            spoken[index] = code
