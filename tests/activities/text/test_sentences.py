"""Sentences come early, and are the same however the answer arrives."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.text.sentences import MAX_SENTENCE_CHARS, SentenceStream, split
from activities.text.speakable import speakable
from tests.activities.text.test_speakable import MARKDOWN

WORDS = st.sampled_from(
    ["apple", "Berlin", "runs", "the", "3.5", "e.g.", "Dr.", "**bold**", "*soft*", "`code`", "[link](x)"]
)
SENTENCES = st.tuples(st.lists(WORDS, min_size=2, max_size=6).map(" ".join), st.sampled_from(".!?")).map(
    lambda parts: f"So {parts[0]} ends{parts[1]}"
)
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=4).map(" ".join)
BLOCKS = st.one_of(
    PARAGRAPHS,
    PARAGRAPHS.map("## {}".format),
    PARAGRAPHS.map("- {}\n- Second one".format),
    PARAGRAPHS.map("1. {}\n2. Second one".format),
    PARAGRAPHS.map("> {}".format),
    st.just("```python\nprint('A. B. C.')\n\nx = 1\n```"),
    st.just("| Name | Age |\n|---|---|\n| Bob | five. And |\n| Eve | six |"),
)
ANSWERS = st.lists(BLOCKS, min_size=1, max_size=5).map("\n\n".join)


def streamed(pieces: list[str], language: str = "en") -> tuple[str, ...]:
    """Feed the pieces one by one."""
    stream = SentenceStream(language)
    sentences = [sentence for piece in pieces for sentence in stream.feed(piece)]
    return (*sentences, *stream.finish())


def cut(text: str, places: list[int]) -> list[str]:
    """Cut a text at these places."""
    cuts = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


@pytest.mark.parametrize(
    ("markdown", "sentences"),
    [
        ("Hello there. How are you?", ["Hello there.", "How are you?"]),
        (
            "Dr. Smith paid $3.50. He left at 5 p.m. yesterday.",
            ["Dr. Smith paid $3.50.", "He left at 5 p.m. yesterday."],
        ),
        ("**Note.** This [is. It](http://x) here. `a. B` it.", ["Note.", "This is. It here.", "a. B it."]),
        ("Steps:\n1. Mix. Stir\n2. Bake", ["Steps:", "1. Mix.", "Stir.", "2. Bake."]),
        ("One.\n```\nA. B.\n```\nTwo.", ["One.", "Two."]),
        ("One.\n- ```sh\n  ls. A\n  ```\nTwo.", ["One.", "Two."]),
        ("Title\n===\nText here.", ["Title", "Text here."]),
        ("1.\n\n2.\n\nThree.", ["1. 2. Three."]),
        ("Great! 🎉 🎉 Next one.", ["Great!", "Next one."]),
        ("42.", ["42."]),
        ("So 2*3*4 is big. Then a*b.", ["So 2*3*4 is big.", "Then a*b."]),
        ("If x <y and z is. Then z> w.", ["If x < y and z is.", "Then z > w."]),
        ("...", []),
        ("👍", []),
        ("```\nonly code\n```", []),
        ("日本語です。次の文。「はい。」と言う", ["日本語です。", "次の文。", "「はい。」", "と言う"]),
        ("| A | B |\n|--|--|\n| x. Y | z |\nEnd.", ["A x. Y, B z.", "End."]),
        ("A line\nbreaks. In\r\nthe middle", ["A line breaks.", "In the middle"]),
        ("", []),
    ],
)
def test_sentences(markdown: str, sentences: list[str]) -> None:
    assert list(split(markdown)) == sentences
    assert list(streamed(list(markdown))) == sentences


def test_language_has_its_own_rules() -> None:
    assert split("Am 3. Mai kam er. Ja.", "de") == ("Am 3. Mai kam er.", "Ja.")


def test_unknown_language_is_no_error() -> None:
    assert split("Yes. No.", "\ud800") == split("Yes. No.", "zz") == ("Yes.", "No.")


def test_first_sentence_comes_with_the_next_word() -> None:
    stream = SentenceStream()
    assert stream.feed("Sure, I can. ") == []
    assert stream.feed("It") == []
    assert stream.feed(" is") == ["Sure, I can."]


def test_a_sentence_is_guessed_when_it_seems_to_end() -> None:
    stream, guesses = SentenceStream(), []
    answer = 'In spring, Dr. Smith has 3.5 dollars. Is that **all?** Mr. Fox says "no." Yes. Version 2. The end.'
    for letter in answer:
        stream.feed(letter)
        guesses += stream.ahead()
    assert list(dict.fromkeys(guesses)) == [
        "In spring, Dr. Smith has 3.5 dollars.",
        "Is that all?",
        'Mr. Fox says "no."',
        "Yes.",
        "The end.",
    ]


def test_paragraph_end_finishes_a_sentence() -> None:
    assert SentenceStream().feed("Here is how:\n\n") == ["Here is how:"]
    assert SentenceStream().feed("Here is how:\n- mix") == []
    assert SentenceStream().feed("Here is how:\n- mix ") == ["Here is how:"]


def test_nothing_is_said_out_of_an_open_code_block() -> None:
    stream = SentenceStream()
    assert stream.feed("Look here.\n```\nOne. Two. Three.\n\nFour. ") == ["Look here."]
    assert stream.feed("Five. ") == []
    assert stream.finish() == []


def test_long_sentence_is_broken_at_clauses() -> None:
    sentences = split("this is a clause that goes on, " * 40 + "and ends.")
    assert all(len(sentence) <= MAX_SENTENCE_CHARS and sentence.endswith((",", ".")) for sentence in sentences)
    assert sum(sentence.count("clause") for sentence in sentences) == 40


@pytest.mark.parametrize(
    ("markdown", "pieces"),
    [
        (
            "Leaves turn red, orange and yellow, and the air grows cool and crisp, as days get short. It is fall.",
            [
                "Leaves turn red, orange and yellow,",
                "and the air grows cool and crisp, as days get short.",
                "It is fall.",
            ],
        ),
        (
            "Leaves turn red, orange and brown. The air grows cool.",
            ["Leaves turn red, orange and brown.", "The air grows cool."],
        ),
        ("Leaves turn red and orange and yellow, and so on.", ["Leaves turn red and orange and yellow, and so on."]),
        (
            "It is what (as people say, who know it well, and are many) one does, if one is very sure of it.",
            ["It is what (as people say, who know it well, and are many) one does,", "if one is very sure of it."],
        ),
        (
            "They **said in the morning, and in the afternoon as well**, that it is late.",
            ["They said in the morning, and in the afternoon as well, that it is late."],
        ),
        (
            "Run `first this, then that, and then all of the rest` and nothing else.",
            ["Run first this, then that, and then all of the rest and nothing else."],
        ),
        (
            "その日は朝からずっと雨が降っていて、外はとても寒かったので、私たちは家にいて本を読んでいましたが、それは楽しかったです。",
            [
                "その日は朝からずっと雨が降っていて、外はとても寒かったので、",
                "私たちは家にいて本を読んでいましたが、それは楽しかったです。",
            ],
        ),
    ],
)
def test_a_long_sentence_comes_by_its_clauses(markdown: str, pieces: list[str]) -> None:
    assert list(split(markdown)) == pieces
    assert list(streamed(list(markdown))) == pieces


def test_a_clause_comes_before_its_sentence_is_written() -> None:
    stream = SentenceStream()
    assert stream.feed("Leaves turn red, orange and yellow, and the air grows") == []
    assert stream.feed(" cool and ") == ["Leaves turn red, orange and yellow,"]


@given(MARKDOWN, st.lists(st.integers(0, 200), max_size=6))
def test_chunking_of_anything_changes_nothing(text: str, places: list[int]) -> None:
    assert streamed(cut(text, places)) == split(text) == streamed(list(text))


@given(ANSWERS, st.lists(st.integers(0, 600), max_size=6))
def test_chunking_of_answers_changes_nothing(text: str, places: list[int]) -> None:
    assert streamed(cut(text, places)) == split(text)


@given(ANSWERS, st.lists(st.integers(0, 600), max_size=6))
def test_guessing_changes_nothing(text: str, places: list[int]) -> None:
    stream, said = SentenceStream(), []
    for piece in cut(text, places):
        said += stream.feed(piece)
        stream.ahead()
    assert (*said, *stream.finish()) == split(text)


@given(ANSWERS)
def test_streamed_markdown_says_what_the_whole_says(text: str) -> None:
    assert " ".join(split(text)).split() == speakable(text).split()


@given(MARKDOWN)
def test_sentences_can_be_spoken(text: str) -> None:
    for sentence in split(text):
        assert any(map(str.isalnum, sentence))
        assert len(sentence) <= MAX_SENTENCE_CHARS
        assert sentence == sentence.strip()
        assert "\n" not in sentence


@settings(max_examples=30)
@given(st.lists(st.text("abcdefghij", min_size=1, max_size=12), min_size=1, max_size=400))
def test_no_word_is_lost(words: list[str]) -> None:
    assert " ".join(split(". ".join(words))).replace(".", "").split() == words


@pytest.mark.slow
@pytest.mark.parametrize(
    "mark",
    [
        "a. ",
        ". ",
        ".",
        "a, ",
        ", ",
        "[a. ",
        "`a. ",
        "**A.** ",
        "- a\n",
        "a\n",
        "|a|\n",
        "。",
        "```\n",
        "> ",
        "-",
        "1. ",
        "A. <",
    ],
)
def test_work_grows_with_the_text_alone(mark: str) -> None:
    text = (mark * 3000)[:3000]
    started = time.process_time()
    streamed(list(text))
    assert time.process_time() - started < 2
