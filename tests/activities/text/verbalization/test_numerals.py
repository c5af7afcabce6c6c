"""Roman numerals, and the gender of one."""

import pytest

from activities.text.spoken import spoken
from activities.text.verbalization.numerals import value


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Henry VIII, Louis XIV's court", "Henry the eighth, Louis the 14th's court"),
        ("World War II, Chapter IV, Rocky III", "World War two, Chapter four, Rocky three"),
        ("In the XIX century I met James. Then I left.", "In the nineteenth century I met James. Then I left."),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Karl V. und Elisabeth II. kamen.", "Karl der Fünfte und Elisabeth die Zweite kamen."),
        ("Ludwigs XIV. Schloss", "Ludwigs des Vierzehnten Schloss"),
        ("Im XIX. Jahrhundert", "Im neunzehnten Jahrhundert"),
        ("1 Hund, 1 Katze, 1 Wohnung, Kapitel 1", "ein Hund, eine Katze, eine Wohnung, Kapitel eins"),
        ("1 Banane, 1 Name, Art. 1 Abs. 1", "eine Banane, ein Name, Artikel eins Absatz eins"),
    ],
)
def test_german(written: str, said: str) -> None:
    assert spoken(written, "de") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "Felipe VI, Alfonso XIII, Isabel II y Juan Carlos I",
            "Felipe sexto, Alfonso trece, Isabel segunda y Juan Carlos primero",
        ),
        (
            "siglo XIX, s. XX, II Guerra Mundial, capítulo III",
            "siglo diecinueve, siglo veinte, segunda Guerra Mundial, capítulo tres",
        ),
    ],
)
def test_spanish(written: str, said: str) -> None:
    assert spoken(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Louis XIV, François Ier, Charles X", "Louis quatorze, François premier, Charles dix"),
        ("XXe siècle, IIIᵉ, Ve République", "vingtième siècle, troisième, cinquième République"),
        ("1 image, 301 chaises, 21 musées, 1 homme", "une image, trois cent une chaises, vingt et un musées, un homme"),
    ],
)
def test_french(written: str, said: str) -> None:
    assert spoken(written, "fr") == said


@pytest.mark.parametrize(
    ("numeral", "number"), [("I", 1), ("IV", 4), ("IX", 9), ("XIV", 14), ("XXXIX", 39), ("XLIV", 44)]
)
def test_value(numeral: str, number: int) -> None:
    assert value(numeral) == number
