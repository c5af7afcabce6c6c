"""The backlog by itself: order, duplicates and limits hold whatever arrives, and survive a new run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.error_codes import ErrorCode
from workflows.voice.backlog import MAX_PRETRANSCRIBED, SEEN_IDS_KEPT, Backlog, Turn
from workflows.voice.contracts import ConversationState, Limits, VoiceMessageRequest

EMPTY = ConversationState(platform="test", chat="1")


def message(number: int) -> VoiceMessageRequest:
    return VoiceMessageRequest(platform="test", chat="1", message=str(number), text="Hello?")


def backlog(**limits: int) -> Backlog:
    return Backlog(EMPTY.model_copy(update={"limits": Limits(**limits)}))


def begin(queued: Backlog) -> Turn:
    """Start the next message, as the conversation does."""
    turn = Turn(queued.waiting.popleft(), due=not queued.turns)
    queued.turns.append(turn)
    return turn


class Ended:
    """The handle of a child workflow that has ended."""

    def done(self) -> bool:
        return True


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 10))
def test_each_message_waits_once_in_the_order_of_its_arrival(numbers: list[int], waiting: int) -> None:
    queued = backlog(waiting=waiting, messages_per_minute=1000)
    accepted = []
    for number in numbers:
        if not queued.has_seen(str(number)) and queued.refusal(now=0) is None:
            queued.add(message(number), now=0)
            accepted.append(str(number))
    assert len(accepted) == len(set(accepted))
    assert [item.message for item in queued.queue()] == accepted
    assert len(accepted) <= waiting


def test_a_full_queue_and_a_fast_chat_are_told_apart() -> None:
    queued = backlog(waiting=2, messages_per_minute=3)
    for number in (1, 2):
        assert queued.refusal(now=number) is None
        queued.add(message(number), now=number)
    assert queued.refusal(now=3) is ErrorCode.QUEUE_FULL
    begin(queued)
    queued.add(message(3), now=3)
    begin(queued)
    assert queued.refusal(now=4) is ErrorCode.RATE_LIMITED
    assert queued.refusal(now=61.5) is None, "a minute after the first"


def test_a_flood_is_refused_aloud_once_until_a_message_is_accepted_again() -> None:
    queued = backlog(waiting=1, messages_per_minute=100)
    queued.add(message(1), now=0)
    assert [queued.refuse(), queued.refuse(), queued.refuse()] == [True, False, False]
    begin(queued)
    queued.add(message(2), now=0)
    assert queued.refuse()


def test_the_position_counts_what_is_started_and_what_waits() -> None:
    queued = backlog(waiting=10, messages_per_minute=100)
    for number in range(4):
        queued.add(message(number), now=0)
    begin(queued)
    begin(queued)
    assert [queued.ahead_of(message(number)) for number in range(4)] == [0, 1, 2, 3]
    assert [item.started for item in queued.queue()] == [True, True, False, False]
    assert queued.ahead_of(message(99)) == 0, "answered, or gone"


def test_only_so_many_are_started_ahead_of_their_turn() -> None:
    queued = backlog(waiting=10, messages_per_minute=100)
    for number in range(5):
        queued.add(message(number), now=0)
    started = 0
    while queued.may_start:
        begin(queued)
        started += 1
    assert started == 1 + MAX_PRETRANSCRIBED


def test_only_the_first_turn_can_be_the_next_to_end() -> None:
    queued = backlog()
    queued.add(message(1), now=0)
    queued.add(message(2), now=0)
    first, second = begin(queued), begin(queued)
    assert not queued.first_ended
    handle: Any = Ended()
    second.handle = handle
    assert not queued.first_ended
    first.handle = handle
    assert queued.first_ended


def test_the_next_run_goes_on_where_this_one_ended() -> None:
    queued = backlog(waiting=3, messages_per_minute=3)
    for number in (1, 2):
        queued.add(message(number), now=number)
    begin(queued)
    after = Backlog(ConversationState.model_validate(EMPTY.model_dump() | queued.saved()))
    assert [item.message for item in after.queue()] == ["2"]
    assert after.has_seen("1")
    assert after.refusal(now=3) is None
    after.add(message(3), now=3)
    assert after.refusal(now=4) is ErrorCode.RATE_LIMITED
    after.forget()
    assert not after.has_seen("1")


def test_after_a_reset_answers_under_way_are_not_remembered_and_later_ones_are() -> None:
    queued = backlog()
    for number in (1, 2):
        queued.add(message(number), now=0)
    before = begin(queued)
    queued.reset()
    assert [before.remembered, begin(queued).remembered] == [False, True]


@pytest.mark.parametrize("more", [0, 1, 50])
def test_old_ids_are_forgotten_in_time(more: int) -> None:
    queued = Backlog(EMPTY.model_copy(update={"limits": Limits(waiting=1000, messages_per_minute=1000)}))
    for number in range(SEEN_IDS_KEPT + more):
        queued.add(message(number), now=0)
    assert queued.has_seen(str(SEEN_IDS_KEPT + more - 1))
    assert queued.has_seen(str(more))
    assert more == 0 or not queued.has_seen(str(more - 1))
