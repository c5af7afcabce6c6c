"""Each sentence of an answer has a language: its own, or that of the answer so far."""

from collections.abc import Sequence

from activities.text.languages import AnswerLanguages


def detect(text: str, likely: Sequence[str]) -> str | None:
    """Tell French by its first word, and anything else by what is likely."""
    if not any(map(str.isalpha, text)):
        return None
    return "fr" if text.strip().startswith("Un ") else next(iter(likely), "en")


def test_a_sentence_has_its_own_language_or_that_of_the_answer() -> None:
    languages = AnswerLanguages(detect, ("de",))
    sentences = ["Auf Französisch sagt man:", "Un café.", "42.", "Nicht schwer."]
    assert languages.of_all(sentences) == ("de", "fr", "de", "de")
    assert languages.of("Oui.", ["Un café."]) == "fr"


def test_nothing_is_likely_and_nothing_told() -> None:
    assert AnswerLanguages(detect, ()).of_all(["42.", "Yes."]) == (None, "en")


def test_it_asks_about_the_beginning_alone() -> None:
    asked: list[str] = []

    def record(text: str, _likely: Sequence[str]) -> str:
        asked.append(text)
        return "en"

    AnswerLanguages(record, ()).of_all([f"Sentence {n} of the answer." for n in range(200)])
    assert max(map(len, asked)) <= 400
    assert len(asked) < 300  # the beginning is asked about once it is long enough
