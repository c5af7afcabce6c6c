"""Spell text so that espeak-ng reads it: letters that it would name by number, and languages that it lacks."""

import re
import unicodedata
from collections.abc import Callable

from anyascii import anyascii

from workers.engines.japanese import kana
from workers.engines.scripts import OWN_SCRIPTS

LAO_TO_THAI: dict[int, int | str] = {letter: letter - 0x80 for letter in range(0x0E81, 0x0ECE)}
LAO_TO_THAI |= {0x0EDC: "หน", 0x0EDD: "หม", 0x0E8D: 0x0E22, 0x0EBB: 0x0E31, 0x0EBD: 0x0E22}
"""Unicode has Lao's letters where it has those of Thai, 0x80 further on, but for these."""
TAJIK_TO_KAZAKH = str.maketrans("ҳҷӣӯҲҶӢӮ", "һжиөҺЖИӨ")
PASHTO_TO_URDU = str.maketrans("ټډړږښګڼځڅېۍكيىۀئه", "ٹڈڑگخگنزسےیکییہیہ")
_YIDDISH_LETTERS = "א ב ג ד ה ו ז ח ט י כ ך ל מ ם נ ן ס ע פ ף צ ץ ק ר ש ת אַ אָ וּ יִ ייַ יי וי וו טש זש בֿ פּ פֿ כּ שׂ תּ"
_GERMAN_LETTERS = (
    "- b g d h u s ch t i ch ch l m m n n ss e f f z z k r sch ss a o u i ei ej eu w tsch sch w p f k ss t"
)
YIDDISH_TO_GERMAN = dict(zip(_YIDDISH_LETTERS.split(" "), _GERMAN_LETTERS.replace("-", "").split(" "), strict=True))
"""The sounds of standard Yiddish as German spells them."""
YORUBA_SH = str.maketrans({"ṣ": "sh", "Ṣ": "Sh"})
_YIDDISH = re.compile("|".join(sorted(YIDDISH_TO_GERMAN, key=len, reverse=True)))
_YIDDISH_PAIRS = str.maketrans({"װ": "וו", "ױ": "וי", "ײ": "יי"})

MAX_CHARS = 1000
"""After letters were replaced: a few Arabic ones are words of eighteen letters."""
_APOSTROPHES = str.maketrans("ʻʼ", "''")
"""Letters to Unicode; espeak-ng calls the second one "adjective"."""
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: they tell words apart in Persian, and letters in the scripts of India."""
_HAVE_JOINERS = frozenset(code for code, own in OWN_SCRIPTS.items() if not own & {"LATIN", "CYRILLIC", "HAN"})
_ZERO_WIDTH_SPACE = "\u200b"
_VARIANTS = re.compile(
    "[\u2160-\u2188\u2460-\u24ff\ufb00-\ufb06\ufb50-\ufdff\ufe70-\ufefc\uff10-\uff5a\uff66-\uff9f\U0001d400-\U0001d7ff]+"
)
"""Roman numerals, circled and full-width digits and letters, ligatures, Arabic letters by form, letters of formulas."""
_STACKED = re.compile("[\u1e00-\u1eff]+")
"""Latin letters with marks that few languages have, as in Vietnamese names."""
_HEBREW_POINTS = re.compile("[\u0591-\u05bd\u05bf-\u05c7]+")
_READS_STACKED = frozenset({"cy", "vi"})


def readable(text: str, language: str) -> str:
    """Return ``text`` without control characters, and its letters as a voice for ``language`` (ISO 639-1) reads them.

    Control characters are commands to espeak-ng (its own start with 1); letters that it does not know it spells out
    by their number in Unicode, or leaves out.
    """
    if text.isascii() and text.isprintable():
        return text[:MAX_CHARS]
    composed = _VARIANTS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), unicodedata.normalize("NFC", text))
    composed = composed[:MAX_CHARS].translate(_APOSTROPHES)
    if language not in _READS_STACKED:
        composed = _STACKED.sub(lambda found: anyascii(found[0]), composed)
    if language != "yi":
        composed = _HEBREW_POINTS.sub("", composed)
    return "".join(_printable(character, language) for character in composed)


def _printable(character: str, language: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" and character != _ZERO_WIDTH_SPACE:  # soft hyphens, directions: within words
        return character if character in _JOINERS and language in _HAVE_JOINERS else ""
    return " " if category[0] == "C" else character


def _yiddish(text: str) -> str:
    letters = unicodedata.normalize("NFD", text).translate(_YIDDISH_PAIRS)
    return _YIDDISH.sub(lambda found: YIDDISH_TO_GERMAN[found[0]], letters)


RESPELLED: dict[str, Callable[[str], str]] = {
    "ja": kana,
    "lo": lambda text: text.translate(LAO_TO_THAI),
    "tg": lambda text: text.translate(TAJIK_TO_KAZAKH),
    "ps": lambda text: text.translate(PASHTO_TO_URDU),
    "yi": _yiddish,
    "yo": lambda text: anyascii(unicodedata.normalize("NFC", text).translate(YORUBA_SH)),
    # Accents and hooks that their voices would spell out; scripts that espeak-ng lacks.
    **dict.fromkeys(("ha", "jv", "jw", "ln", "mg", "sn", "su", "tl", "bo", "km"), anyascii),
}
"""By language (ISO 639-1)."""


def respell(text: str, language: str) -> str:
    """Return ``text`` as espeak-ng's voice for ``language`` (ISO 639-1) reads it; most languages stay as they are."""
    return RESPELLED[language](text) if language in RESPELLED else text
