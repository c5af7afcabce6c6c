"""Which refusals are said, by a clock that the tests turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import refusals
from bots.refusals import PER_CHAT, PER_PERSON, REPEAT_SECONDS, Refusals


class Turned:
    """Refusals whose time passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.refusals = Refusals(lambda: self.now)

    def after(self, seconds: float, reason: str = "photo", person: str = "ada", chat: str = "1") -> bool:
        self.now += seconds
        return self.refusals.say(chat, person, reason)


def test_a_flood_is_told_once_and_again_each_minute() -> None:
    turned = Turned()
    said = [turned.after(1) for _ in range(125)]
    assert [index for index, told in enumerate(said) if told] == [0, REPEAT_SECONDS, 2 * REPEAT_SECONDS]


def test_at_a_person_s_pace_each_message_gets_its_word() -> None:
    turned = Turned()
    assert [turned.after(20) for _ in range(10)] == [True] * 10


def test_another_reason_person_or_chat_is_no_part_of_the_flood() -> None:
    turned = Turned()
    assert turned.after(0)
    assert not turned.after(1)
    assert turned.after(0, reason="sticker")
    assert turned.after(0, person="bob")
    assert turned.after(0, chat="2")
    assert not turned.after(0)


def test_what_was_accepted_ends_a_flood() -> None:
    turned = Turned()
    assert turned.after(0)
    turned.refusals.end("1", "ada")
    turned.refusals.end("1", "nobody")
    assert turned.after(1)


def test_a_command_is_never_part_of_a_flood_of_messages() -> None:
    turned = Turned()
    assert turned.after(0, "not-allowed")
    assert turned.refusals.say("1", "ada", "not-allowed", asked=True)
    assert not turned.after(1, "not-allowed")


def test_a_chat_is_not_flooded_with_refusals_of_changing_reasons_or_of_many_people() -> None:
    turned = Turned()
    assert sum(turned.after(0.1, reason=str(index)) for index in range(50)) == PER_PERSON
    assert sum(turned.after(0.1, person=str(index)) for index in range(50)) == PER_CHAT - PER_PERSON
    assert turned.after(0, chat="2")
    assert turned.after(REPEAT_SECONDS)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "REMEMBERED", 2)
    turned = Turned()
    for person in "abcd":
        assert turned.after(0, person=person, chat=person)
    assert not turned.after(0, person="d", chat="d")
    assert (len(turned.refusals._people), len(turned.refusals._chats)) == (2, 2)


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from("ab"), st.sampled_from("xy")), max_size=PER_PERSON))
def test_a_person_always_learns_why_within_a_minute(messages: list[tuple[float, str, str]]) -> None:
    turned, heard = Turned(), dict[tuple[str, str], float]()
    for seconds, person, reason in messages:
        if turned.after(seconds, reason, person):
            heard[person, reason] = turned.now
        assert turned.now - heard[person, reason] < REPEAT_SECONDS
