"""Money, units, millions."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import pytest

from activities.text.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "$1, $0.99, $1.01, -$5 and $-5",
            "one dollar, ninety nine cents, one dollar and one cent, minus five dollars and minus five dollars",
        ),
        (
            "$1,234.50 or €1.234,50 or 1.000 €",
            "one thousand two hundred and thirty four dollars and fifty cents or one thousand two hundred and "
            "thirty four euros and fifty cents or one thousand euros",
        ),
        (
            "$10–20, $1M-$2M, $3.5K",
            "ten to twenty dollars, one million to two million dollars, three point five thousand dollars",
        ),
        (
            "£1.5bn, 5 CHF, ¥500, ₹500, 5¢",
            "one point five billion pounds, five Swiss francs, five hundred yen, five hundred rupees, five cents",
        ),
        ("$100/mo, 3 days/week", "one hundred dollars per month, three days per week"),
        ("1.2M people, 5k users", "one point two million people, five thousand users"),
        (
            "20 MB/s, 5 kg/m³, 9.81 m/s²",
            "twenty megabytes per second, five kilograms per cubic meter, nine point eight one meters per second "
            "squared",
        ),
        ("3–5 kg, 5-10%, -5 °C", "three to five kilograms, five to ten percent, minus five degrees Celsius"),
        ("30 s, 2 µs, 10 kΩ, 220 V", "thirty seconds, two microseconds, ten kiloohms, two hundred and twenty volts"),
        ("40.7° N, 74° W", "forty point seven degrees north, seventy four degrees west"),
        ("5'11\" or 6 ft 2 in", "five feet eleven inches or six feet two inches"),
        ("1½ cups, 10x, the 1990s", "one and a half cups, ten times, the nineteen nineties"),
        ("1/2 tsp of salt, timeout=30s", "one half teaspoon of salt, timeout equals thirty seconds"),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "1 €, 1,50 €, 1.234,56 €",
            "ein Euro, ein Euro und fünfzig Cent, tausendzweihundertvierunddreißig Euro und sechsundfünfzig Cent",
        ),
        (
            "1 Mio. €, 2,5 Mrd. €, 500 Mio. Menschen",
            "eine Million Euro, zwei Komma fünf Milliarden Euro, fünfhundert Millionen Menschen",
        ),
        ("1 h, 1 kg, 5 Std., 30 Min.", "eine Stunde, ein Kilogramm, fünf Stunden, dreißig Minuten"),
        ("9,99 €/Monat, 2 EL Öl", "neun Euro und neunundneunzig Cent pro Monat, zwei Esslöffel Öl"),
        (
            "Das kostet 49.95 € mit Python 3.11.",
            "Das kostet neunundvierzig Euro und fünfundneunzig Cent mit Python drei punkt elf.",
        ),
    ],
)
def test_german(written: str, said: str) -> None:
    assert spoken(written, "de") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1 millón de €, 5 M€, 21 €", "un millón de euros, cinco millones de euros, veintiún euros"),
        ("1 h, 21 kg, 50 m²", "una hora, veintiún kilogramos, cincuenta metros cuadrados"),
    ],
)
def test_spanish(written: str, said: str) -> None:
    assert spoken(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2 M€, 1 Md€, 5 millions de $", "deux millions d'euros, un milliard d'euros, cinq millions de dollars"),
        (
            "1 234,56 €, 20 Mo/s, 1 s",
            "mille deux cent trente-quatre euros et cinquante-six centimes, vingt mégaoctets par seconde, une seconde",
        ),
    ],
)
def test_french(written: str, said: str) -> None:
    assert spoken(written, "fr") == said
