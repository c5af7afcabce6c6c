"""Money, units and dates in languages without rules of their own."""

import pytest

from activities.text.spoken import spoken
from activities.text.verbalization import cldr


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("nl", "Het kost € 49,95 op 2024-05-03.", "Het kost 49,95 euro op 3 mei 2024."),
        ("nl", "90 km/h, 20 °C, 50%, 1 kg", "90 kilometer per uur, 20 graden Celsius, 50 procent, 1 kilogram"),
        ("pt", "R$ 20, 1 h e 1.280 m", "20 Reais brasileiros, 1 hora e 1.280 metros"),
        ("pl", "5 km, 22 kg, 20 zł", "5 kilometrów, 22 kilogramy, 20 złotych polskich"),
        ("sv", "20 € på 5 min", "20 euro på 5 minuter"),
        ("uk", "5 км, 5 місяців", "5 кілометрів, 5 місяців"),
        ("ja", "20€です、2024-05-03に3kgの", "20ユーロです、2024年5月3日に3 キログラムの"),
        ("ko", "5kg은", "5킬로그램은"),
        ("nl", "2024-13-45, v1.2.3, 555-123-4567", "2024-13-45, v1.2.3, 555-123-4567"),
    ],
)
def test_signs_are_written_out(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize("language", ["xx", "", "../en", "a" * 100])
def test_a_language_that_nobody_knows_has_no_rules(language: str) -> None:
    assert cldr.rules(language) == ()
