"""Dates, times of day, durations."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import re

from activities.text.verbalization.words import Rule, Words

_OF_A_GERMAN_DATE = re.compile(r"\b(?:ab|am|bis|dem|den|der|des|im|seit|und|vom|zum)\s*\Z", re.IGNORECASE)


def rules(words: Words) -> tuple[Rule, ...]:
    """Return the rules for dates and times."""

    def date(match: re.Match[str]) -> str:
        first, second = int(match["first"]), int(match["second"])
        if "year_first" in match.re.groupindex or (words.language == "en" and "/" in match[0] and first <= 12):
            month, day = first, second
        else:
            day, month = first, second
        year = int(match["year"])
        year += 0 if len(match["year"]) == 4 else 2000 if year < 70 else 1900
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return match[0]
        said = words.date.format(day=day, month=words.months[month - 1], year=year)
        if words.language == "fr" and day == 1:
            said = said.replace("1", "1er", 1)
        if words.language == "de" and not _OF_A_GERMAN_DATE.search(match.string[: match.start()]):
            said = f"der {said}"
        return said

    def duration(match: re.Match[str]) -> str:
        names = (("hours", "h"), ("minutes", "min"), ("seconds", "s"))
        counted = ((int(match[part]), words.units[unit]) for part, unit in names if match[part])
        return " ".join(one if count == 1 else f"{count} {many}" for count, (one, many) in counted)

    found = [
        Rule(r"(?<=\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?!\w)", r", \1"),
        Rule(
            r"(?<![\w./-])(?P<year_first>)(?P<year>(?:1[0-9]|20)\d\d)([-/])(?P<first>\d\d)\3(?P<second>\d\d)(?![\w/-])",
            date,
        ),
        Rule(
            r"(?<![\w./-])(?P<first>\d{1,2})([/.])(?P<second>\d{1,2})\2(?P<year>(?:1[0-9]|20)\d\d|\d\d)(?![\w/-]|\.\d)",
            date,
        ),
        Rule(
            r"(?<![\w.,])(?P<hours>\d+) ?h ?(?P<minutes>\d+) ?(?:m|min)\b(?: ?(?P<seconds>\d+) ?s\b)?",
            duration,
        ),
        Rule(r"(?<![\w.,])(?P<hours>)(?P<minutes>\d+) ?(?:m|min) (?P<seconds>\d+) ?s\b", duration),
        Rule(r"(\b\d{1,2}:\d\d) ?[-–—] ?(?=\d{1,2}:\d\d\b)", rf"\1 {words.words['to']} "),
        Rule(r"\b(UTC|GMT) ?\+ ?(?=\d)", rf"\1 {words.words['plus']} "),
        Rule(r"\b(UTC|GMT) ?[-−] ?(?=\d)", rf"\1 {words.words['minus']} "),
    ]
    if words.language == "es":  # the quarters of the twenty-four hours are not said as those of twelve
        found.append(Rule(r"\b(1[3-9]|2[0-3])[:.](15|30|45)\b(?![.,:]\d)", r"\1 \2"))
    if words.language == "de":  # "zweitausend…", not "zwanzig…"
        found.append(Rule(r"(?<![\w.,:/+-])2(0\d\d)(?![\w:/]|[.,-]\d)", r"2.\1"))
    if words.language == "en":
        found.append(Rule(r"\b9/11\b", "9 11"))
        found.append(Rule(r"\b([1-9]/\d{1,2})(?:rd|th)s?\b", r"\1"))
    return tuple(found)
