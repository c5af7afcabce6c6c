"""Abbreviations."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import pytest

from activities.text.sentences import split
from activities.text.spoken import spoken
from activities.text.verbalization.abbreviations import is_unfinished


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Mr. and Mrs. Smith", "Mr. and Missus Smith"),
        ("Dr. Smith, St. Paul St.", "Doctor Smith, Saint Paul Street."),
        (
            "See Fig. 3, pp. 45–52, vol. II, No. 5.",
            "See figure three, pages forty five to fifty two, volume two, number five.",
        ),
        ("Tea w/ milk, w/o sugar etc.", "Tea with milk, without sugar et cetera."),
        ("I said no. Yes, e.g. now.", "I said no. Yes, for example now."),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Z.B. am Hauptplatz, d.h. hier usw.", "Zum Beispiel am Hauptplatz, das heißt hier und so weiter."),
        ("Kap. III, S. 5, § 5 Abs. 2", "Kapitel drei, Seite fünf, Paragraf fünf Absatz zwei"),
        ("Prof. Dr. Weber, Bahnhofstr. 5", "Professor Doktor Weber, Bahnhofstraße fünf"),
        ("44 v.Chr., i.d.R. u.v.m.", "vierundvierzig vor Christus, in der Regel und vieles mehr."),
    ],
)
def test_german(written: str, said: str) -> None:
    assert spoken(written, "de") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("El Sr. López y Uds. en EE.UU.", "El señor López y ustedes en Estados Unidos."),
        ("págs. 3-5, n.º 5, c/ Mayor", "páginas tres a cinco, número cinco, calle Mayor"),
    ],
)
def test_spanish(written: str, said: str) -> None:
    assert spoken(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("M. Dupont, Mme Martin et le Dr Roy", "monsieur Dupont, madame Martin et le docteur Roy"),
        (
            "c.-à-d. p. 12, 24h/24 et 7j/7",
            "c'est-à-dire page douze, vingt-quatre heures sur vingt-quatre et sept jours sur sept",
        ),
    ],
)
def test_french(written: str, said: str) -> None:
    assert spoken(written, "fr") == said


@pytest.mark.parametrize(
    ("language", "before", "after", "unfinished"),
    [
        ("en", "Light travels (approx.", "3 times", True),
        ("en", "I said no.", "Yes", False),
        ("en", "See no.", "5", True),
        ("fr", "Voici M.", "Dupont", True),
        ("es", "Media cdta.", "de sal", True),
        ("de", "Im 2.", "Weltkrieg", True),
        ("de", "Kapitel 2.", "Dann", False),
        ("de", "Brot usw.", "Dann", False),
        ("xx", "Im 2.", "Weltkrieg", False),
    ],
)
def test_a_period_behind_an_abbreviation_is_no_end(language: str, before: str, after: str, unfinished: bool) -> None:
    assert is_unfinished(before, after, language) is unfinished
    assert not unfinished or len(split(f"{before} {after} and more.", language)) == 1
