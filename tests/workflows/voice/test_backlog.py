"""The backlog by itself: order, duplicates and limits hold whatever arrives, and survive a new run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.error_codes import ErrorCode
from workflows.access.arrivals import MAX_ARRIVALS
from workflows.voice.backlog import MAX_PRETRANSCRIBED, MAX_TOLD, Backlog, Turn
from workflows.voice.contracts import (
    MAX_CARRIED_BYTES,
    MAX_JOINED_CHARS,
    MAX_MESSAGE_BYTES,
    MAX_QUOTED_CHARS,
    ChatSettings,
    ConversationState,
    Exchange,
    Limits,
    Memory,
    Stop,
    VoiceMessageRequest,
)
from workflows.voice.memory import SUMMARY_CHARS, WINDOW_CHARS
from workflows.voice.seen_ids import FORGOTTEN_IDS_KEPT, SEEN_IDS_KEPT

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
        if str(number) not in queued.seen and queued.refusal(now=0) is None:
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
    ada, bob = (message(9).model_copy(update={"user": name}) for name in ("ada", "bob"))
    refused = [queued.refuse(one, by_sender=True) for one in (ada, ada, bob, ada, bob)]
    assert refused == [True, False, True, False, False], "each person is told, once"
    begin(queued)
    queued.add(message(2), now=0)
    assert queued.refuse(ada, by_sender=True)
    page = ada.model_copy(update={"signal_sentences": True})
    assert queued.refuse(page, by_sender=True), "a page waits for a word on each"


def test_only_so_many_people_are_told() -> None:
    queued = backlog(waiting=1, messages_per_minute=100)
    people = [message(9).model_copy(update={"user": f"u{number}"}) for number in range(MAX_TOLD + 5)]
    assert sum(queued.refuse(one, by_sender=True) for one in people) == MAX_TOLD


def test_histories_of_010_tell_the_first_alone() -> None:
    queued = backlog(waiting=1, messages_per_minute=100)
    people = [message(9).model_copy(update={"user": name}) for name in ("ada", "bob")]
    assert [queued.refuse(one, by_sender=False) for one in people] == [True, False]


def test_what_waits_is_stopped_and_each_turn_once() -> None:
    queued = backlog(waiting=10, messages_per_minute=100)
    for number in range(3):
        queued.add(message(number), now=0)
    turn = begin(queued)
    assert queued.stop() == [turn]
    assert [request.stopped for request in queued.waiting] == [True, True]
    assert queued.stop() == []


def test_who_waits_behind_all_others() -> None:
    queued = backlog(waiting=10, messages_per_minute=100)
    queued.add(message(1), now=0)
    assert queued.last is None, "it waits for nobody"
    begin(queued)
    queued.add(message(2), now=0)
    queued.add(message(3), now=0)
    assert queued.last == message(3)


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
    assert "1" in after.seen
    assert after.refusal(now=3) is None
    after.add(message(3), now=3)
    assert after.refusal(now=4) is ErrorCode.RATE_LIMITED
    after.seen.forget(now=5)
    assert "1" in after.seen, "a platform may deliver it again"
    assert "1" not in str(after.saved()["seen"])


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
    assert str(SEEN_IDS_KEPT + more - 1) in queued.seen
    assert str(more) in queued.seen
    assert more == 0 or str(more - 1) not in queued.seen


TEXTS = st.sampled_from(("x", "\N{OX}", "\x01", '"')).flatmap(
    lambda letter: st.integers(1, MAX_JOINED_CHARS).map(lambda length: letter * length)
)
"""Letters that take one, four, six, and two bytes in JSON."""


def long_message(number: int, text: str) -> VoiceMessageRequest:
    """Write a message with all that one may have, as long as it may be."""
    return message(number).model_copy(
        update={
            "message": f"{number:0>120}",
            "text": text,
            "quoted": text[:MAX_QUOTED_CHARS],
            "destination": text[:2000],
            "sender": text[:120],
            "continues": number % 3 == 0,
        }
    )


@given(st.lists(TEXTS, min_size=1, max_size=40), st.integers(1, 100_000), st.integers(1, 100_000))
def test_whatever_the_settings_a_run_hands_on_what_temporal_takes(
    texts: list[str], waiting: int, per_minute: int
) -> None:
    queued = backlog(waiting=waiting, messages_per_minute=per_minute)
    for number, text in enumerate(texts):
        request = long_message(number, text)
        refused = queued.refusal(now=number) or queued.oversize(request)
        if not queued.join(request)[0] and not refused:
            queued.add(request, now=number)
        elif refused:
            assert queued.waiting, "of one that nothing waits before, nothing is refused"
    queued.seen.forget(now=0)
    assert queued.drop_excess() == []
    assert carried_bytes(queued) < MAX_CARRIED_BYTES


def carried_bytes(queued: Backlog) -> int:
    """Return the bytes of the largest state that a run may hand on."""
    side = "\x01" * (2 * WINDOW_CHARS)
    state = ConversationState(
        platform="p" * 120,
        chat="c" * 120,
        thread="t" * 120,
        settings=ChatSettings(system_prompt="\x01" * 4000, model="\x01" * 120, voice="\x01" * 60),
        memory=Memory(summary="\x01" * (2 * SUMMARY_CHARS), window=(Exchange(user=side, assistant=side),)),
        stops=(Stop(message="m" * 120, heard_chars=10**9),) * 30,
        languages=("en", "de", "fr"),
        seen=("s" * 120,) * SEEN_IDS_KEPT,
        forgotten={f"{number:016}": 1e9 + number / 7 for number in range(FORGOTTEN_IDS_KEPT)},
        arrivals=tuple(1e9 + number / 7 for number in range(MAX_ARRIVALS)),
        waiting=tuple(queued.waiting),
    )
    return len(state.model_dump_json().encode())


def test_many_messages_in_a_minute_are_counted_up_to_a_bound() -> None:
    queued = backlog(waiting=100_000, messages_per_minute=100_000)
    accepted = 0
    while queued.refusal(now=0) is None:
        queued.add(message(accepted), now=0)
        accepted += 1
    assert accepted == MAX_ARRIVALS


def test_a_message_larger_than_any_is_refused_by_itself() -> None:
    huge = message(1).model_copy(update={"trace": {"baggage": "x" * MAX_MESSAGE_BYTES}})
    assert backlog().oversize(huge) is ErrorCode.REQUEST_INVALID


def test_of_a_queue_that_an_older_june_accepted_the_last_are_dropped() -> None:
    texts = ["x" * 8000] * 300
    old = tuple(long_message(number, text) for number, text in enumerate(texts))
    queued = Backlog(EMPTY.model_copy(update={"waiting": old}))
    dropped = queued.drop_excess()
    assert [*queued.waiting, *reversed(dropped)] == list(old)
    assert 30 < len(queued.waiting) < 100
    assert carried_bytes(queued) < MAX_CARRIED_BYTES
