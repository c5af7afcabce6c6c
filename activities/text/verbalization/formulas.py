"""Formulas: signs between what is added, multiplied, compared; powers and roots."""

# ruff: noqa: RUF001 - the signs of mathematics are meant as they are

import re

from activities.text.verbalization.words import Rule, Words

_LETTER = "A-Za-zΑ-Ωα-ω"
_BEFORE = rf"(?:(?<=[\d)²³%π])|(?<=(?<![^\W\d_])[{_LETTER}]))"
_AFTER = rf"(?=[-−+±√(]?(?:[\d(√π∞]|[{_LETTER}](?![^\W\d_])))"
_BEFORE_TIMES = "at|from|until|till|by|before|after|between|and|to|around|about|since"
_NUMBER_BEFORE = re.compile(r"\d{1,9}\Z")
_NUMBER_AFTER = re.compile(r"\d{1,9}")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ−", "0123456789-n-")


def rules(words: Words) -> tuple[Rule, ...]:
    """Return the rules for formulas."""
    say = words.words

    def dash(match: re.Match[str]) -> str:
        """A hyphen subtracts in a formula, and otherwise stands between the ends of a range."""
        is_spaced = match[0] != "-"
        if "=" in match.string or (is_spaced and any(sign in match.string for sign in "+*×÷^²³√≤≥≠≈<>")):
            return f" {say['minus']} "
        if not is_spaced:
            return match[0]
        left, right = (
            _NUMBER_BEFORE.search(match.string, 0, match.start()),
            _NUMBER_AFTER.match(match.string, match.end()),
        )
        ascends = left and right and int(left[0]) < int(right[0])
        return f" {say['to' if ascends else 'minus']} "

    def power(match: re.Match[str]) -> str:
        exponent = match[1].strip("^(){}+").translate(_SUPERSCRIPTS)
        if exponent in ("2", "3"):
            return f" {say['squared' if exponent == '2' else 'cubed']}"
        return f" {say['power']} {exponent.replace('-', say['minus'] + ' ')}"

    def between(signs: str, name: str, *, spaced: bool = False) -> Rule:
        space = " " if spaced else " ?"
        return Rule(rf"(?<=[\w)²³°%]){space}{signs}{space}(?=[\w(√π∞$€£+−-])", f" {say[name]} ")

    signs = "|".join(
        map(re.escape, (say[name] for name in ("equal", "plus", "minus", "times", "divided", "roughly_equal")))
    )
    found = [
        Rule(r"(?<=[\dn])!(?= ?[=+*/×])", f" {say['factorial']}"),
        Rule(r"(?<=\d) ?x ?(?=\d+ ?=)|(?<=\d) x (?=\d)", f" {say['times']} "),
        Rule(r"\b([a-h][1-8])[-–]([a-h][1-8])\b", rf"\1 {say['to']} \2"),
        Rule(rf"{_BEFORE}(?: - |-){_AFTER}", dash),
        Rule(r"(?<![\w.,])(\d+(?:[.,]\d+)?)[eE]([+-]?\d{1,3})(?!\w)", rf"\1 {say['times']} 10^\2"),
        Rule(r"(?<=[\w)])(\^[({]?[-−+]?\w{1,8}[)}]?|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ]+)", power),
        Rule(rf"{_BEFORE} ?[*×·⋅∗] ?{_AFTER}", f" {say['times']} "),
        between("[*×·⋅∗]", "times", spaced=True),
        between("÷", "divided"),
        Rule(rf"{_BEFORE} / {_AFTER}", f" {say['divided']} "),
        Rule(r"(?<=\d) : (?=\d)", f" {say['divided']} "),
        Rule(r" ?(?:!=|≠) ?", f" {say['unequal']} "),
        Rule(r" ?(?:<=|≤|⩽) ?", f" {say['less_or_equal']} "),
        Rule(r" ?(?:>=|≥|⩾) ?", f" {say['greater_or_equal']} "),
        between("(?:≈|≅|~=)", "roughly_equal"),
        Rule(r"(?<![\w~])[≈~∼] ?(?=[\d$€£])", f"{say['roughly']} "),
        Rule(r" ?(?:→|⇒|➜|->|=>) ?", ", "),
        between("={1,3}", "equal"),
        between("<", "less", spaced=True),
        between(">", "greater", spaced=True),
        Rule(r" ?(?:±|\+/-) ?", f" {say['plus_minus']} "),
        Rule(rf"{_BEFORE} ?\+ ?{_AFTER}", f" {say['plus']} "),
        between(r"\+", "plus", spaced=True),
        Rule(r"(?<![\w+])\+(?=\d)", f"{say['plus']} "),
        between("−", "minus"),
        Rule(r"(?<!\w)−(?=\w)", f"{say['minus']} "),
        Rule(r"√ ?", f" {say['square_root']} "),
        Rule(r" ?∞", f" {say['infinity']}"),
        Rule(r" ?π", f" {say['pi']}"),
        Rule(r"(?<=\d)(?=[xyznα-ω](?![^\W_]))", " "),
        Rule(r" & |(?<=[A-Z])&(?=[A-Z]\b)", f" {say['and']} "),
        Rule("[®™]", ""),
        # The sides of a screen, and goals: what no clock shows.
        Rule(r"(?<![\w:.,])(\d{1,2}):(\d|10(?=-)|[6-9]\d)(?![\w:]|[.,]\d)", rf"\1 {say['score']} \2"),
        Rule(r"(?<![\w:.,])16:10(?![\w:])", f"16 {say['score']} 10"),
        Rule(r"(?<![\w:.,])(\d{1,4}):(\d{3,6})(?![\w:]|[.,]\d)", rf"\1 {say['score']} \2"),
    ]
    # In a formula no number is a year.
    found.append(
        Rule(
            rf"({signs}) (\d{{4,15}})(?![\d.,])",
            lambda match: f"{match[1]} {words.cardinal(int(match[2]))}",
        )
    )
    if words.language == "en":
        # damga takes "about 3.14" for a time of day.
        found.append(
            Rule(
                r"(?i)" rf"\b({_BEFORE_TIMES}) (\d{{1,2}})\.(\d)(\d)(?![\d.]*\d)(?! ?(?:hours|hrs|[ap]\.?m\b))",
                r"\1 \2 point \3 \4",
            )
        )
    return tuple(found)
