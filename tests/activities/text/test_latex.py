"""Formulas in LaTeX are read as what they mean."""

# ruff: noqa: RUF001 - the signs of mathematics are meant as they are

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.latex import without_latex
from activities.text.speakable import speakable
from activities.text.spoken import spoken


@pytest.mark.parametrize(
    ("markdown", "prose"),
    [
        (r"So \( x = \frac{1}{2} \times 4 \) is 2.", "So ( x = 1/2 × 4 ) is 2."),
        (r"\[ a^2 + b^2 = c^2 \]", "a^2 + b^2 = c^2"),
        ("$$ E = mc^2 $$", "E = mc^2"),
        (r"So $x^2 = 4$ gives $x = \pm 2$ and $n$.", "So x^2 = 4 gives x = ± 2 and n."),
        (r"$\frac{-b + \sqrt{b^2 - 4ac}}{2a} \leq \pi$", "(-b + √(b^2 - 4ac)) ÷ 2a ≤ π"),
        (r"\text{speed} = 5\,\text{km/h}", "speed = 5 km/h"),
        (r"$x_{1} = 5*3*2$ and \boxed{42}", "x 1 = 5*3*2 and 42"),
        ("It costs $5 and $6, or $5-$10.", "It costs $5 and $6, or $5-$10."),
        (r"See C:\times and \n.", "See C: times and n."),
    ],
)
def test_formulas_become_signs(markdown: str, prose: str) -> None:
    assert speakable(markdown) == prose


def test_a_formula_is_said() -> None:
    assert spoken(speakable(r"$x^{10} \neq \frac{a}{2}$"), "en") == (
        "x to the power of ten is not equal to a divided by two"
    )


@given(st.text(st.characters(exclude_characters="\\$")))
def test_other_text_stays(text: str) -> None:
    assert without_latex(text) == text


@pytest.mark.slow
@pytest.mark.parametrize("mark", ["$", "\\", "\\frac{", "\\frac{a}{b}", "$a", "$ a$", "\\sqrt{", "\\text{a", "_{a"])
def test_hostile_text_takes_bounded_time(mark: str) -> None:
    started = time.process_time()
    speakable(mark * 12_000)
    assert time.process_time() - started < 1
