"""Formulas, comparisons, ratios."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import pytest

from activities.text.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a² + b² = c²", "a squared plus b squared equals c squared"),
        ("f(x) = 2x + 1", "f(x) equals two x plus one"),
        (
            "10^-3, 10⁶ and 6.02e23",
            "ten to the power of minus three, ten to the power of six and six point zero two times ten to the "
            "power of twenty three",
        ),
        ("2^10 = 1024", "two to the power of ten equals one thousand and twenty four"),
        ("√16 ÷ 2 ≠ ∞", "the square root of sixteen divided by two is not equal to infinity"),
        ("π ≈ 3.14, ±5, ~50", "pi is about three point one four, plus or minus five, about fifty"),
        (
            "10-3=7 and 5 - 3, but 3 - 5 days",
            "ten minus three equals seven and five minus three, but three minus five days",
        ),
        ("wait 3 - 5 days or 10-15", "wait three to five days or ten to fifteen"),
        ("3 x 4 = 12, 5! = 120", "three times four equals twelve, five factorial equals one hundred and twenty"),
        (
            "x >= 3, y != 2, p < 0.05",
            "x greater than or equal to three, y is not equal to two, p less than zero point zero five",
        ),
        (
            "The ratio is 4:3 at 4:30, scale 1:1000.",
            "The ratio is four to three at four thirty, scale one to one thousand.",
        ),
        ("Settings → Privacy, R&D", "Settings, Privacy, R and D"),
        ("x = -b, (-b ± 2)", "x equals minus b, (minus b plus or minus two)"),
        ("e2-e4", "e two to e four"),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("12 : 4 = 3, 7 · 8 = 56", "zwölf geteilt durch vier gleich drei, sieben mal acht gleich sechsundfünfzig"),
        ("2³ = 8, √9 ≥ 2", "zwei hoch drei gleich acht, Wurzel aus neun größer oder gleich zwei"),
        ("Es steht 2:2 auf 16:9.", "Es steht zwei zu zwei auf sechzehn zu neun."),
    ],
)
def test_german(written: str, said: str) -> None:
    assert spoken(written, "de") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("x² ≥ 18, ~50", "x al cuadrado mayor o igual que dieciocho, aproximadamente cincuenta"),
    ],
)
def test_spanish(written: str, said: str) -> None:
    assert spoken(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("3 × 4 = 12, 10^6", "trois fois quatre égale douze, dix puissance six"),
    ],
)
def test_french(written: str, said: str) -> None:
    assert spoken(written, "fr") == said
