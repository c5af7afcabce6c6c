"""What is written becomes the words that are said, in four languages."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import logging
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.text import spoken as module
from activities.text.spoken import MAX_CHARS, MAX_SPOKEN_CHARS, spoken, warm_up

CASES = [
    line.split("\t")
    for line in (Path(__file__).parents[2] / "data" / "spoken_cases.tsv").read_text(encoding="utf-8").splitlines()
]
KNOWN_MISSES: set[str] = set()
"""Sentences of the cases that are not said in any of the accepted ways."""
SIGNS = st.sampled_from(
    [
        *("1", "2024", "12", "0", "3.5", "3,5", "1.280", "1,280", "½", "²", "₂", "X", "IV", "II", "a", "Karl", "word"),
        *("$", "€", "£", "%", "°C", "kg", "km/h", "h", "min", "Mio.", "M", "k", "No.", "S.", "z. B.", "e.g.", "St."),
        *("-", "–", "/", ":", ".", ",", "+", "*", "=", "<", "^", "~", "√", "π", "(", ")", "@", "#", "_", "'", '"', " "),
        *("main.py", "a@b.de", "v1.2", "192.168.0.1", "2024-05-03", "8:00", "555-123-4567", "日本", "Привет", "\x00"),
    ]
)
WRITTEN = st.lists(SIGNS, max_size=30).map("".join)


def words(text: str) -> list[str]:
    """List the words and numbers, in lower case."""
    return re.findall(r"[^\W_]+", text.casefold())


def test_the_cases_are_said_as_people_say_them() -> None:
    missed = {
        written
        for language, written, accepted in CASES
        if words(spoken(written, language)) not in map(words, accepted.split(" | "))
    }
    assert len(CASES) == 190
    assert missed == KNOWN_MISSES


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2*3*4", "two times three times four"),
        ("a*b*c", "a times b times c"),
        ("x < y and z > w", "x less than y and z greater than w"),
        ("It costs $49.95.", "It costs forty nine dollars and ninety five cents."),
        ("20 €", "twenty euros"),
        ("€20", "twenty euros"),
        ("At 8:00.", "At eight o'clock."),
        ("2024-05-03", "May third twenty twenty four"),
        ("Call 555-123-4567.", "Call five five five, one two three, four five six seven."),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2*3*4", "zwei mal drei mal vier"),
        ("a*b*c", "a mal b mal c"),
        ("x < y und z > w", "x kleiner als y und z größer als w"),
        ("Das kostet $49.95.", "Das kostet neunundvierzig Dollar und fünfundneunzig Cent."),
        ("20 €", "zwanzig Euro"),
        ("€20", "zwanzig Euro"),
        ("Um 8:00.", "Um acht Uhr."),
        ("Am 2024-05-03.", "Am dritten Mai zweitausendvierundzwanzig."),
        ("Ruf 555-123-4567 an.", "Ruf fünf fünf fünf, eins zwei drei, vier fünf sechs sieben an."),
    ],
)
def test_german(written: str, said: str) -> None:
    assert spoken(written, "de") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2*3*4", "dos por tres por cuatro"),
        ("a*b*c", "a por b por c"),
        ("x < y, z > w", "x menor que y, z mayor que w"),
        ("Cuesta $49.95.", "Cuesta cuarenta y nueve dólares con noventa y cinco centavos."),
        ("20 €", "veinte euros"),
        ("€20", "veinte euros"),
        ("A las 8:00.", "A las ocho."),
        ("El 2024-05-03.", "El tres de mayo de dos mil veinticuatro."),
        ("Llama al 555-123-4567.", "Llama al cinco cinco cinco, uno dos tres, cuatro cinco seis siete."),
    ],
)
def test_spanish(written: str, said: str) -> None:
    assert spoken(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2*3*4", "deux fois trois fois quatre"),
        ("a*b*c", "a fois b fois c"),
        ("x < y et z > w", "x inférieur à y et z supérieur à w"),
        ("Cela coûte $49.95.", "Cela coûte quarante-neuf dollars et quatre-vingt-quinze cents."),
        ("20 €", "vingt euros"),
        ("€20", "vingt euros"),
        ("À 8:00.", "À huit heures."),
        ("Le 2024-05-03.", "Le trois mai deux mille vingt-quatre."),
        ("Appelle le 555-123-4567.", "Appelle le cinq cinq cinq, un deux trois, quatre cinq six sept."),
    ],
)
def test_french(written: str, said: str) -> None:
    assert spoken(written, "fr") == said


@pytest.mark.parametrize(
    ("language", "plain"),
    [
        ("en", "“Well,” he said — then I left; didn't you?"),
        ("en", "It's a well-known fact (I think): nobody knows…"),
        ("de", "Der alte Wärter stieg die Treppe hinauf – jeden Abend!"),
        ("es", "¿Cómo estás? Yo, muy bien."),
        ("fr", "C’est l’été, n’est-ce pas ?"),
        ("en", "They said 日本語 and Привет."),
        ("xx", "5 kg"),
        ("", "5 kg"),
        ("../en", "5 kg"),
        ("zzzzzzzzzzzz", "5 kg"),
        ("nl", "De oude man liep, elke avond, naar huis."),
    ],
)
def test_a_plain_sentence_and_an_unknown_language_stay(language: str, plain: str) -> None:
    assert spoken(plain, language) == plain


@given(
    st.lists(st.text("abcdefghijklmnopqrstuvwyzäéñß", min_size=1), min_size=1, max_size=20),
    st.sampled_from([" ", ", ", "; ", " – ", "! ", "’", " “", "? "]),
    st.sampled_from(["en", "de", "es", "fr"]),
)
def test_words_alone_stay(texts: list[str], between: str, language: str) -> None:
    text = between.join(texts)
    assert spoken(text, language) == text or set(words(text)) & {"bd", "vs", "svp", "qqn", "càd"}


@settings(deadline=None)
@given(WRITTEN, st.sampled_from([*module.NORMALIZED, "nl", "ja"]))
def test_nothing_written_fails_or_grows_without_end(text: str, language: str) -> None:
    said = spoken(text, language)
    assert len(said) <= max(MAX_SPOKEN_CHARS, len(text))
    assert ("日本" in text) == ("日本" in said)
    assert ("Привет" in text) == ("Привет" in said)


@settings(deadline=None)
@given(WRITTEN, st.sampled_from(["en", "de", "es", "fr"]))
def test_nothing_becomes_silence(text: str, language: str) -> None:
    said = spoken(text, language)
    assert words(said) or not words(text)


@pytest.mark.slow
@pytest.mark.parametrize("language", [*module.NORMALIZED, "ja", "pl"])
@pytest.mark.parametrize(
    "mark",
    [
        *(
            "1",
            "1/",
            "1:",
            "1.",
            "1-",
            "1 ",
            "a1",
            "$",
            "$1",
            "IV ",
            "A.",
            "+1 ",
            "@",
            "a@b.",
            "1e",
            "1½",
            "5 kg ",
            "a_",
        ),
        *("1x", "/a", "call 1", "1 000", "€1-", "2^", "x<y ", "0 1", "(555) ", "v1.", "5 m ", "a()", "w.w@", "Louis I"),
    ],
)
def test_hostile_text_takes_bounded_time(language: str, mark: str) -> None:
    warm_up(language)
    started = time.process_time()
    spoken((mark * MAX_CHARS)[:MAX_CHARS], language)
    assert time.process_time() - started < 1


def test_too_long_a_text_is_said_as_it_is_written() -> None:
    assert spoken("5 kg " * 200, "en") == "5 kg " * 200
    assert spoken("7" * MAX_CHARS, "en") == "7" * MAX_CHARS


def test_a_rule_that_fails_costs_nobody_the_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        def normalize(self, text: str) -> str:
            raise RuntimeError(text)

    monkeypatch.setattr(module, "_normalizer", lambda _language: Failing())
    with caplog.at_level(logging.WARNING):
        assert spoken("5 kg", "en") == "5 kg"
    assert caplog.messages == ["spoken-as-written"]


def test_without_damga_numbers_stay(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "damga", None)
    module._normalizer.cache_clear()
    assert spoken("2*3 costs $5.", "en") == "2 times 3 costs 5 dollars."
    assert caplog.messages == ["numbers-as-written"]
    module._normalizer.cache_clear()


def test_threads_may_share_it() -> None:
    written = ["It costs $49.95.", "At 8:00 we go 5 km.", "Call 555-123-4567."] * 20
    one_by_one = [spoken(text, "en") for text in written]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: spoken(text, "en"), written)) == one_by_one


@pytest.mark.parametrize("region", ["en-GB", "en_US", "EN"])
def test_a_region_does_not_matter(region: str) -> None:
    assert spoken("5 kg", region) == "five kilograms"


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [("it", "Costa 20 €.", "Costa venti euro."), ("tr", "20 kg", "yirmi kilogram"), ("ru", "5 кг", "пять килограммов")],
)
def test_what_damga_alone_knows(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said
