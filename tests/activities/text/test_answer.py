"""An answer as it grows: text to read, sentences to speak, thoughts kept apart, and caps on all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.text.answer import MAX_THOUGHT_CHARS, Answer, Delta
from activities.text.sentences import split


def answer(*deltas: Delta, max_chars: int = 1000, thinks_first: bool = False) -> Answer:
    grown = Answer("en", max_chars, thinks_first=thinks_first)
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
    assert (grown.text, grown.sentences, grown.reasoning_chars) == ("Yes.", ["Yes."], 4)
    tagged = answer(Delta(content="<think>Hmm.</think>Yes."))
    assert (tagged.text, tagged.reasoning_chars) == ("Yes.", 4)


def test_what_turns_out_to_be_thoughts_is_retracted() -> None:
    grown = answer(Delta(content="Let me see. It is two. "), Delta(content="</think>Two."))
    assert (grown.text, grown.sentences, grown.retracted) == ("Two.", ["Two."], True)


def test_a_cap_ends_it() -> None:
    grown = answer(Delta(content="One. Two. Three."), max_chars=9)
    assert (grown.text, grown.full, grown.finish_reason) == ("One. Two.", True, "length")
    thinking = Answer("en", 10, thinks_first=False)
    thinking.add(Delta(reasoning="x" * (MAX_THOUGHT_CHARS + 1)))
    assert thinking.full


def test_figures_of_the_server_are_kept() -> None:
    grown = answer(Delta(content="Yes.", model="m"), Delta(finish_reason="stop", prompt_tokens=7, completion_tokens=2))
    assert (grown.model, grown.finish_reason, grown.prompt_tokens, grown.completion_tokens) == ("m", "stop", 7, 2)


def test_nothing_said_is_tried_again_unless_it_would_go_the_same_way() -> None:
    with pytest.raises(ApplicationError) as silent:
        answer(Delta(finish_reason="stop"))
    assert (silent.value.type, silent.value.non_retryable) == (ErrorCode.MODEL_EMPTY, False)
    with pytest.raises(BadInputError) as spent:
        answer(Delta(reasoning="Hmm."), Delta(finish_reason="length"))
    assert spent.value.type == ErrorCode.MODEL_EMPTY
