"""An answer as it grows: text to read, sentences to speak, thoughts kept apart, and caps on all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.language_model import Delta
from activities.text.answer import MAX_THOUGHT_CHARS, Answer, Bounds, marked_as_cut
from activities.text.sentences import split


def answer(
    *deltas: Delta,
    max_chars: int = 1000,
    max_tokens: int = 1000,
    max_thought_tokens: int = 1000,
    thinks_first: bool = False,
) -> Answer:
    grown = Answer("en", Bounds(max_chars, max_tokens, max_thought_tokens), thinks_first=thinks_first)
    for delta in deltas:
        grown.add(delta)
    grown.finish()
    return grown


@given(st.lists(st.text(alphabet="ab. ,\n", min_size=1, max_size=12), min_size=1, max_size=12))
def test_however_it_arrives_it_is_the_same_answer(pieces: list[str]) -> None:
    whole = "x" + "".join(pieces)
    grown = answer(Delta(content="x"), *(Delta(content=piece) for piece in pieces))
    assert grown.text == whole.strip()
    assert tuple(grown.sentences) == split(whole)


def test_thoughts_are_counted_and_not_said() -> None:
    grown = answer(Delta(reasoning="Hmm."), Delta(content="Yes."))
    assert (grown.text, grown.sentences, grown.thoughts) == ("Yes.", ["Yes."], "Hmm.")
    tagged = answer(Delta(content="<think>Hmm.</think>Yes."))
    assert (tagged.text, tagged.thoughts) == ("Yes.", "Hmm.")


def test_what_turns_out_to_be_thoughts_is_retracted() -> None:
    grown = answer(Delta(content="Let me see. It is two. "), Delta(content="</think>Two."))
    assert (grown.text, grown.sentences, grown.retracted) == ("Two.", ["Two."], True)


def test_a_cap_ends_it() -> None:
    grown = answer(Delta(content="One. Two. Three."), max_chars=9)
    assert (grown.text, grown.sentences, grown.complete) == ("One. Two. …", ["One.", "Two."], True)
    assert (grown.cut, grown.finish_reason) == (True, "length")
    thinking = Answer("en", Bounds(10, 10, 10))
    thinking.add(Delta(reasoning="x" * (MAX_THOUGHT_CHARS + 1)))
    assert thinking.complete
    assert thinking.thoughts_spent


def test_figures_of_the_server_are_kept() -> None:
    grown = answer(Delta(content="Yes.", model="m"), Delta(finish_reason="stop", prompt_tokens=7, completion_tokens=2))
    assert (grown.model, grown.finish_reason, grown.prompt_tokens, grown.completion_tokens) == ("m", "stop", 7, 2)


def test_what_is_no_answer_is_empty() -> None:
    assert answer(Delta(finish_reason="stop")).is_empty
    assert answer(Delta(reasoning="Hmm."), Delta(finish_reason="length")).is_empty
    for call in ('{"name": "light", "arguments": {}}', '```json\n{"name": "light", "parameters": {}}\n```'):
        assert answer(Delta(content=call)).is_empty
        assert answer(Delta(content=call)).called_tool
    for text in ('{"name": "June", "age": 1}', "{", "[" * 3000, "{" + "[" * 3000 + "}"):
        assert not answer(Delta(content=text), max_chars=9000).is_empty


def test_budgets_of_tokens_end_it() -> None:
    grown = answer(*(Delta(content=f"Word {n}. ") for n in range(9)), max_tokens=3)
    assert (grown.cut, grown.complete, len(grown.sentences)) == (True, True, 9)  # whoever reads stops at `complete`
    spent = answer(*(Delta(reasoning="hm ") for _ in range(9)), max_thought_tokens=3)
    assert (spent.thoughts_spent, spent.complete, spent.is_empty) == (True, True, True)
    tagged = answer(Delta(content="<think>"), *(Delta(content="hm ") for _ in range(9)), max_thought_tokens=3)
    assert tagged.thoughts_spent
    done = answer(Delta(reasoning="hm"), Delta(content="Yes."), *(Delta(reasoning="hm ") for _ in range(9)))
    assert not done.thoughts_spent


@pytest.mark.parametrize(
    ("text", "shown", "spoken"),
    [
        ("Good morning. The kettle is on, and", "Good morning. The kettle is on, and …", ["Good morning."]),
        (
            "Good morning. The kettle is on.",
            "Good morning. The kettle is on. …",
            ["Good morning.", "The kettle is on."],
        ),
        ("The kettle is on, and", "The kettle is on, and …", ["The kettle is on, and"]),
        ("So:\n\n```python\nx = 1\ny =", "So:\n\n```python\nx = 1\ny =\n```\n…", ["So:"]),
        ("- One thing\n- Another th", "- One thing\n- Another th …", ["One thing."]),
    ],
)
def test_an_answer_that_is_cut_says_so_and_ends_with_a_sentence(text: str, shown: str, spoken: list[str]) -> None:
    grown = answer(Delta(content=text), Delta(finish_reason="length"))
    assert (grown.text, grown.sentences, grown.cut) == (shown, spoken, True)


@pytest.mark.parametrize("size", [1, 7, 5000])
@pytest.mark.parametrize(
    ("unit", "spoken"),
    [
        ("It is raining today. ", ["It is raining today."] * 3),
        ("Yes it is. No it is not. ", ["Yes it is.", "No it is not."] * 3),
        ("- an apple\n", ["an apple."] * 3),
        ("very ", None),
        ("雨が降っています。", ["雨が降っています。"] * 3),
    ],
)
def test_a_model_that_repeats_itself_is_stopped(unit: str, spoken: list[str] | None, size: int) -> None:
    text = unit * 200
    grown = Answer("en", Bounds(6000, 6000, 0))
    for start in range(0, len(text), size):
        grown.add(Delta(content=text[start : start + size]))
        if grown.complete:
            break
    grown.finish()
    assert grown.complete
    assert (grown.finish_reason, grown.cut) == ("repetition", True)
    assert grown.text == f"{(unit * 3).strip()} …"
    if spoken:
        assert grown.sentences == spoken


def test_what_is_meant_is_not_taken_for_a_loop() -> None:
    rows = "\n".join(f"| {n} | 0 | 0 | 0 |" for n in range(200))
    refrain = "\n\n".join(f"Verse {n} is new.\nLa la la, la la la." for n in range(8))
    for text in (rows, refrain, "-" * 300, "x = [" + "0, " * 100 + "0]", "Say it. " * 10):
        grown = answer(Delta(content=text), max_chars=9000)
        assert (grown.text, grown.cut) == (text.strip(), False)


def test_blanks_without_end_are_stopped() -> None:
    grown = Answer("en", Bounds(6000, 6000, 0))
    for _ in range(600):
        grown.add(Delta(content="\n"))
    assert (grown.complete, grown.is_empty) == (True, True)
    grown = answer(Delta(content="{" + " " * 500))
    assert (grown.complete, grown.text) == (True, "{ …")


def test_marks_end_the_turn() -> None:
    grown = Answer("en", Bounds(6000, 6000, 0))
    grown.add(Delta(content="Hello there.<|im_end|>\n<|im_start|>user\nMore"))
    assert grown.complete
    grown.finish()
    assert (grown.text, grown.sentences, grown.finish_reason, grown.cut) == (
        "Hello there.",
        ["Hello there."],
        "stop",
        False,
    )


def test_code_that_is_cut_ends_before_the_mark() -> None:
    assert marked_as_cut("So it is") == "So it is …"
    assert marked_as_cut("So:\n```py\nx = 1") == "So:\n```py\nx = 1\n```\n…"
    assert marked_as_cut("So:\n```py\nx = 1\n```\nAnd") == "So:\n```py\nx = 1\n```\nAnd …"
