"""Tell operators from the marks of Markdown and HTML: ``2*3*4`` is no emphasis, ``x <y and z> w`` has no tag."""

# ruff: noqa: RUF001 - the signs of mathematics are meant as they are

import re

PRODUCT = "∗"
"""Stands for a star that multiplies, U+2217, so that Markdown does not take it for emphasis."""

_LETTER = "A-Za-zΑ-Ωα-ω"
_BEFORE = rf"(?:(?<=[\d)²³%])|(?<=(?<![^\W\d_])[{_LETTER}]))"
"""A number, a letter that stands alone, or a bracket has just ended."""
_AFTER = rf"(?=[-−]?(?:[\d(√]|[{_LETTER}](?![^\W\d_])))"
_MULTIPLIES = re.compile(rf"{_BEFORE}\*{_AFTER}")
_RAISES = re.compile(rf"{_BEFORE}\*\*{_AFTER}")
_STARS = re.compile(r"\*{2,}")
_GENERIC = re.compile(rf"(?<=[{_LETTER}]{{2}})<([\w.,:?&\[\] ]+)>")
_COMPARES = re.compile(rf"{_BEFORE} ?([<>]=?) ?{_AFTER}|(?<=\w) ?(?!<3\b)([<>]=?) ?(?=[-−]?\d)")
_ARROW = re.compile(r"(?<![<>=-])(?:-{1,2}|=)>(?![>=])")
_SIGNS = {"<=": "≤", ">=": "≥"}


def with_products(markdown: str) -> str:
    """Replace the stars between factors in Markdown: ``2*3`` becomes 2, U+2217, 3, and ``2**3`` ``2^3``.

    Factors are numbers, single letters and brackets, with no space between: a star in a word is emphasis.
    """
    parts, position, is_bold = [], 0, False
    for stars in _STARS.finditer(markdown):
        parts.append(markdown[position : stars.start()])
        raises = _RAISES.match(markdown, stars.start())
        if raises and not is_bold and raises.end() == stars.end():
            parts.append("^")
        else:
            parts.append(stars[0])
            is_bold = not is_bold
        position = stars.end()
    return _MULTIPLIES.sub(PRODUCT, "".join(parts) + markdown[position:])


def with_comparisons(text: str) -> str:
    """Set spaces around each ``<`` and ``>`` that compares, and write arrows as one sign; take generics' brackets off.

    Numbers, single letters and brackets are compared; a word is with a number alone.
    """
    text = _ARROW.sub(" → ", _GENERIC.sub(r" \1 ", text))
    return _COMPARES.sub(lambda match: f" {_SIGNS.get(sign := match[1] or match[2], sign)} ", text)
