"""The prompt is bounded, however long the conversation; nothing said lately is lost."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.voice.contracts import Exchange, Memory, VoiceMessageRequest
from workflows.voice.memory import (
    EXCHANGE_CHARS,
    LATE_CHARS,
    LATE_TURNS,
    SUMMARY_CHARS,
    SYSTEM_PROMPT,
    WINDOW_TURNS,
    asked,
    prompt,
    remember,
    summarised,
    summary_prompt,
    to_summarise,
    utterance,
)

LONGEST_PROMPT = len(SYSTEM_PROMPT) + SUMMARY_CHARS + LATE_CHARS + 100


def test_a_prompt_holds_the_turns_before_it() -> None:
    memory = remember(Memory(), Exchange(user="I am Ada.", assistant="Hello Ada."))
    messages = prompt(memory, "Who am I?")
    assert [(m.role, m.content) for m in messages[1:]] == [
        ("user", "I am Ada."),
        ("assistant", "Hello Ada."),
        ("user", "Who am I?"),
    ]


def test_the_system_prompt_is_the_same_in_every_turn() -> None:
    first = prompt(Memory(), "a")[0]
    second = prompt(remember(Memory(), Exchange(user="a", assistant="b")), "c")[0]
    assert first == second


def test_a_summary_replaces_the_older_half() -> None:
    memory = Memory()
    for number in range(WINDOW_TURNS + 1):
        memory = remember(memory, Exchange(user=f"question {number}", assistant=f"answer {number}"))
    gone = to_summarise(memory)
    assert gone
    assert "question 0" in summary_prompt(memory, gone)[-1].content
    meanwhile = remember(memory, Exchange(user="late", assistant="later"))
    after = summarised(meanwhile, gone, "They counted.")
    assert after.summary == "They counted."
    assert after.window[-1].user == "late"
    assert after.window == meanwhile.window[len(gone) :]
    assert "They counted." in prompt(after, "x")[0].content
    assert not to_summarise(after)


@given(st.lists(st.tuples(st.text(max_size=4000), st.text(max_size=4000)), max_size=40))
@settings(deadline=None, max_examples=60)
def test_a_prompt_has_an_upper_bound_even_without_summaries(said: list[tuple[str, str]]) -> None:
    memory = Memory()
    for user, assistant in said:
        memory = remember(memory, Exchange(user=user, assistant=assistant))
    assert len(memory.window) <= 2 * WINDOW_TURNS
    messages = prompt(memory, "now")
    assert sum(len(m.content) for m in messages) <= LONGEST_PROMPT
    assert messages[-1].content == "now"
    if said and len(said[-1][0]) + len(said[-1][1]) <= EXCHANGE_CHARS:
        assert messages[-2].content == said[-1][1]


def said(**more: object) -> VoiceMessageRequest:
    return VoiceMessageRequest.model_validate({"text": "hi", "sender": "Ada"} | more)


def test_where_several_people_talk_the_model_is_told_who_says_what() -> None:
    assert utterance(said(), "hi") == "hi"
    assert utterance(said(shared=True), "hi") == "Ada: hi"
    assert utterance(said(shared=True, sender=""), "hi") == "hi"


def test_what_is_wanted_of_a_recording_is_told_and_remembered() -> None:
    request = said(text=None, audio={"locator": "f1"}, remark="Is that so?", shared=True)
    assert utterance(request, "It rains.") == 'Ada: About a recording that says "It rains.":\nIs that so?'


def test_the_model_is_told_what_a_message_replies_to() -> None:
    assert asked(said(), "hi") == "hi"
    assert asked(said(quoted="Is it so?", shared=True), "hi") == 'About the message "Is it so?":\nAda: hi'
    assert len(asked(said(quoted="q" * 2000), "hi")) < EXCHANGE_CHARS + 50


def test_scripts_count_by_what_they_take_of_the_models_context() -> None:
    hindi = Memory(window=(Exchange(user="नमस्ते " * 250, assistant="ठीक है।"),) * 2)
    german = Memory(window=(Exchange(user="Grüße! " * 250, assistant="Gut."),) * 2)
    assert to_summarise(hindi)
    assert not to_summarise(hindi, weighted=False)
    assert not to_summarise(german)
    assert (
        len(prompt(hindi, "Hello")) == 6
    )  # they are told until they are summarised, as far as the model can read them


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=2 * WINDOW_TURNS))
def test_while_a_summary_is_late_most_turns_only_add_to_the_prompt(lengths: list[int]) -> None:
    window = tuple(Exchange(user=f"{number}", assistant="x" * length) for number, length in enumerate(lengths))
    prompts = [prompt(Memory(window=window[:end]), "now") for end in range(len(window) + 1)]
    changed = 0
    for before, after in pairwise(prompts):
        assert len(after) <= 2 * LATE_TURNS + 2
        changed += after[: len(before) - 1] != before[:-1]
    assert changed <= sum(lengths) / (LATE_CHARS / 4) + len(lengths) / (LATE_TURNS / 2)
