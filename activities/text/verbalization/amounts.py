"""Amounts: money, units, millions."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import re

from activities.text.verbalization.words import NUMBER, Rule, Words, any_of, lookup

_OF_DATES = r"\b(?:Ab|Am|Bis|Der|Dem|Den|Um|Vom|Zum|Las|À)\b"
_VOWELS = "aeéiouyh"
_FRACTIONS = {
    "en": {"½": "and a half", "¼": "and a quarter", "¾": "and three quarters"},
    "de": {"¼": "ein Viertel", "¾": "drei Viertel"},
    "es": {"½": "y medio", "¼": "y cuarto", "¾": "y tres cuartos"},
    "fr": {"½": "et demi", "¼": "et quart", "¾": "et trois quarts"},
}


def rules(words: Words) -> tuple[Rule, ...]:
    """Return the rules for amounts."""
    say = words.words
    sign = r"(?:(?P<low>NUMBER) ?[-–—] ?|(?P<minus>(?<![^\s(])[-−]))?".replace("NUMBER", NUMBER)
    magnitude = any_of(words.magnitudes)
    scaled = rf"(?P<number>{NUMBER})(?: ?(?P<magnitude>{magnitude})(?!\w)(?: (?:de|d')(?= ?[^\w\s]))?)?"
    symbols = [symbol for symbol in words.currencies if not symbol[-1].isalnum()]
    codes = [symbol for symbol in words.currencies if symbol[-1].isalnum()]
    currency = rf"(?P<currency>{any_of(symbols)}|{any_of(codes)}(?!\w))"
    per = rf"(?: ?/ ?(?P<per>{any_of([*words.units, *words.per])})(?![\w/]))?"

    def per_what(match: re.Match[str]) -> str:
        unit = match["per"]
        if not unit:
            return ""
        return f" {say['per']} {words.per.get(unit) or lookup(words.units, unit)[0].partition(' ')[2]}"

    def signed(match: re.Match[str], said: str) -> str:
        before = f"{words.number(match['low'])} {say['to']} " if match["low"] else ""
        return (
            before
            + (f"{say['minus']} " if match["minus"] or match.groupdict().get("inner") else "")
            + said
            + per_what(match)
        )

    def money(match: re.Match[str]) -> str:
        one, many, cent, cents = words.currencies[match["currency"]]
        whole, decimals = words.parts(match["number"])
        if len(decimals) == 3:  # another language's thousands
            whole, decimals = 1000 * whole + int(decimals), ""
        if match["magnitude"]:
            return signed(match, _millions(words, match, many))
        hundredths = int(decimals) if len(decimals) == 2 and cents else None
        if decimals and hundredths is None:
            return signed(match, f"{words.number(match['number'])} {many}")
        full = one if whole == 1 else f"{words.cardinal(whole)} {many}"
        if not hundredths:
            return signed(match, full)
        rest = cent if hundredths == 1 else f"{hundredths} {cents}"
        return signed(match, words.money.format(whole=full, cents=rest) if whole else rest)

    def unit(match: re.Match[str]) -> str:
        one, many = lookup(words.units, match["unit"])
        if match["unit"] == "s" and match[0].endswith("0s") and not match.string[: match.start()].endswith("="):
            return match[0]  # a decade
        is_one = words.parts(match["number"]) == (1, "")
        return signed(match, one if is_one else f"{words.number(match['number'])} {many}")

    fractions = _FRACTIONS[words.language]

    def low_end(match: re.Match[str]) -> str:
        number = _millions(words, match, "") if match["magnitude"] else words.number(match["number"])
        return f"{number} {say['to']} {match['currency']}"

    found = [
        Rule(
            r"(?<![\w.,])(\d{1,2}) ?(?:['’′]|ft) ?(\d{1,2})(?:[\"”″]|''| ?in\b)?(?!\w)",
            rf"\1 {say['feet']} \2 {say['inches']}",
        ),
        Rule(r"(?<=\d) ?″", f" {say['inches']}"),
        Rule(
            rf"(?<![\w.,]){currency} ?{scaled} ?[-–—] ?(?:{currency.replace('?P<currency>', '?:')} ?)?(?=\d)",
            low_end,
        ),
        Rule(rf"(?<![\w.,]){sign}{currency} ?(?P<inner>[-−](?=\d))?{scaled}{per}(?![\w]|[.,]\d)", money),
        Rule(rf"(?<![\w.,:/]){sign}{scaled} ?{currency}{per}(?!\w)", money),
        Rule(
            rf"(?<![\w.,:/]){sign}(?P<number>{NUMBER}) ?(?P<unit>{any_of(words.units)}){per}(?![\w²³/^])",
            unit,
        ),
        Rule(
            rf"(?<![\w./])(?P<number>[1-9]/\d{{1,2}}|[½¼¾]) ?(?P<unit>{any_of(words.units)})(?!\w|/)",
            lambda match: f"{match['number']} {lookup(words.units, match['unit'])[0].partition(' ')[2]}",
        ),
        Rule(
            rf"(?<![\w.,:/$€£-])(?P<number>{NUMBER})(?P<magnitude> ?(?:Mio|Mrd|Tsd)\.|(?:k|M|B|bn)(?!\w))",
            lambda match: _millions(words, match, "") if match["magnitude"].strip() in words.magnitudes else match[0],
        ),
        Rule(
            rf"(?<=\d )([^\W\d]+)/({any_of(words.per)})(?!\w)",
            lambda match: f"{match[1]} {say['per']} {words.per[match[2]]}",
        ),
        Rule(r"(?<![\w.,])(\d{3,4})([pi])(?!\w)", r"\1 \2"),
        Rule(rf"(?<=\d)[{''.join(fractions)}]", lambda match: f" {fractions[match[0]]}"),
        Rule(r"(?<![\w.,])(\d+(?:[.,]\d+)?)[x×](?![\w])(?! ?[=+*/<>^−-])", rf"\1 {say['fold']}"),
    ]
    if words.decimal == ",":  # what is left with a period is no decimal, behind a name: "Python 3.11"
        name = rf"(?!{_OF_DATES})\b(?:[A-Z][\w+#-]*|versión|version)"
        number = r"([1-9]?\d)\.(\d\d?)(?!\d|[.,]\d| ?(?:Uhr|h)\b)"
        found.append(Rule(rf"({name}) {number}", rf"\1 \2 {say['dot']} \3"))
    return tuple(found)


def _millions(words: Words, match: re.Match[str], currency: str) -> str:
    """Return what is said of so many millions, of a currency if there is one."""
    one, many = words.magnitudes[match["magnitude"].strip()]
    said = one if words.parts(match["number"]) == (1, "") else f"{words.number(match['number'])} {many}"
    if not currency:
        return said
    joiner = words.magnitude_joiner if many[:3] == "mil" and many not in ("mil", "mille") else ""
    if joiner and words.language == "fr" and currency[0] in _VOWELS:
        return f"{said} d'{currency}"
    return " ".join(filter(None, (said, joiner, currency)))
