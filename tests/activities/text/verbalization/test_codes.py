"""Addresses, files, versions, telephone numbers, handles."""

import pytest

from activities.text.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Write to john.doe+test@mail.example.com!", "Write to john dot doe plus test at mail dot example dot com!"),
        ("See https://docs.example.org/en/latest.", "See docs dot example dot org slash en slash latest."),
        ("Open README.md, main.py and config.yaml.", "Open README dot m d, main dot p y and config dot yaml."),
        ("Edit src/app/main.rs.", "Edit src slash app slash main dot r s."),
        ("It is in /etc/hosts or ~/bin.", "It is in slash etc slash hosts or tilde slash bin."),
        (
            "Ping 10.0.0.1 or 192.168.1.1:8080.",
            "Ping one zero dot zero dot zero dot one or one nine two dot one six eight dot one dot one, eight "
            "zero eight zero.",
        ),
        ("Node.js v18.2 and iOS 17.4.1", "Node dot j s version eighteen dot two and iOS seventeen dot four dot one"),
        (
            "Call (555) 123-4567 or 1-800-555-0199.",
            "Call five five five, one two three, four five six seven or one, eight zero zero, five five five, "
            "zero one nine nine.",
        ),
        ("Call +44 20 7946 0958.", "Call plus four four, two zero, seven nine four six, zero nine five eight."),
        ("Dial 911 now.", "Dial nine one one now."),
        ("Follow @anna and #python, reason #1.", "Follow at anna and hashtag python, reason number one."),
        ("C++, C#, F# and .NET", "C plus plus, C sharp, F sharp and dot NET"),
        ("Run ls -la --help.", "Run ls dash la dash dash help."),
        ("Call getUserName() and get_user().", "Call get User Name and get user."),
        ("CO₂, H2SO4 and COVID-19", "C O two, H two S O four and COVID nineteen"),
        ("and/or, yes/no", "and/or, yes/no"),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "Schreib an a.b@firma.de oder www.firma.de.",
            "Schreib an a punkt b at firma punkt de oder www punkt firma punkt de.",
        ),
        (
            "Ruf 0171 2345678 oder +49 30 123456 an.",
            "Ruf null eins sieben eins, zwei drei vier fünf sechs sieben acht oder plus vier neun, drei null, "
            "eins zwei drei vier fünf sechs an.",
        ),
        (
            "Version 2.0.1 und 192.168.0.1",
            "Version zwei punkt null punkt eins und eins neun zwei punkt eins sechs acht punkt null punkt eins",
        ),
        ("Es sind 1.280.000 Leute.", "Es sind eine Million zweihundertachtzigtausend Leute."),
        ("Hauptplatz 1, 10115 Berlin", "Hauptplatz eins, eins null eins eins fünf Berlin"),
    ],
)
def test_german(written: str, said: str) -> None:
    assert spoken(written, "de") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Llama al 612 345 678.", "Llama al seis uno dos, tres cuatro cinco, seis siete ocho."),
        (
            "Son 612 345 678 euros.",
            "Son seiscientos doce millones trescientos cuarenta y cinco mil seiscientos setenta y ocho euros.",
        ),
        (
            "versión 1.2.1 en 192.168.1.1",
            "versión uno punto dos punto uno en uno nueve dos punto uno seis ocho punto uno punto uno",
        ),
    ],
)
def test_spanish(written: str, said: str) -> None:
    assert spoken(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Appelle le 06 12 34 56 78.", "Appelle le zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit."),
        ("info@x.fr, main.py", "info arobase x point fr, main point p y"),
        ("Le COVID-19, version 2.0.1", "Le COVID dix-neuf, version deux point zéro point un"),
        ("Appelle le 0 800 123 456.", "Appelle le zéro, huit zéro zéro, un deux trois, quatre cinq six."),
    ],
)
def test_french(written: str, said: str) -> None:
    assert spoken(written, "fr") == said
