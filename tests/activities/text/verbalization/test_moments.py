"""Dates, times of day, durations."""

import pytest

from activities.text.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("12/25/2024 and 3/4/2024", "December twenty fifth twenty twenty four and March fourth twenty twenty four"),
        ("25/12/2024", "December twenty fifth twenty twenty four"),
        ("2024-05-03T08:00:00Z", "May third twenty twenty four, eight o'clock"),
        ("2024/05/03", "May third twenty twenty four"),
        ("Open 9:30-17:00.", "Open nine thirty to seventeen hundred."),
        (
            "It took 2h 30m, then 1h 1min 5s, then 5 m 20 s.",
            "It took two hours thirty minutes, then one hour one minute five seconds, then five minutes twenty "
            "seconds.",
        ),
        ("At 7:05 p.m. or 10 AM, UTC+2.", "At seven oh five p m or ten a m, UTC plus two."),
        ("Since 9/11", "Since nine eleven"),
        (
            "Between 1.25 and 1.50, about 3.14",
            "Between one point two five and one point five zero, about three point one four",
        ),
        ("2024-99-03", "2024-99-03"),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Am 3.5.2024, um 8:05 Uhr.", "Am dritten Mai zweitausendvierundzwanzig, um acht Uhr fünf."),
        ("2024-05-03", "der dritte Mai zweitausendvierundzwanzig"),
        ("Im Jahr 2005, von 8:00 bis 17:00 Uhr", "Im Jahr zweitausendfünf, von acht Uhr bis siebzehn Uhr"),
        ("Nach 2h 30m.", "Nach zwei Stunden dreißig Minuten."),
    ],
)
def test_german(written: str, said: str) -> None:
    assert spoken(written, "de") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("El 3/5/2024 a las 20:45.", "El tres de mayo de dos mil veinticuatro a las veinte cuarenta y cinco."),
        ("A las 8:30 o a las 8:15.", "A las ocho y media o a las ocho y cuarto."),
    ],
)
def test_spanish(written: str, said: str) -> None:
    assert spoken(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Le 1/5/2024 à 8h30.", "Le premier mai deux mille vingt-quatre à huit heures trente."),
        ("Le 03.05.2024", "Le trois mai deux mille vingt-quatre"),
    ],
)
def test_french(written: str, said: str) -> None:
    assert spoken(written, "fr") == said
