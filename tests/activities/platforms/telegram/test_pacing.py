"""Telegram's pace, by a clock that stands still until it is moved."""

import pytest

from activities.platforms.telegram.pacing import BURST, PER_MINUTE_IN_GROUPS, RESERVE, Pacing

CHAT, GROUP = 5, -100


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacing(clock: Clock) -> Pacing:
    return Pacing(clock)


def test_a_burst_then_one_a_second(pacing: Pacing) -> None:
    assert [pacing.reserve(CHAT) for _ in range(8)] == pytest.approx([0, 0, 0, 3, 3, 3, 6, 6])


def test_chats_do_not_wait_for_each_other(pacing: Pacing) -> None:
    for _ in range(20):
        pacing.reserve(CHAT)
    assert pacing.reserve(CHAT + 1) == 0


def test_twenty_a_minute_in_groups(pacing: Pacing, clock: Clock) -> None:
    for _ in range(PER_MINUTE_IN_GROUPS):
        assert pacing.reserve(GROUP) == 0
        clock.now += 1
    assert pacing.delay(GROUP) == pytest.approx(40)
    clock.now += 40
    assert pacing.reserve(GROUP) == 0


def test_edits_leave_room_for_messages(pacing: Pacing, clock: Clock) -> None:
    spared = 0
    for _ in range(PER_MINUTE_IN_GROUPS):
        spared += pacing.reserve_spare(GROUP)
        clock.now += 1.5
    assert spared == PER_MINUTE_IN_GROUPS - RESERVE
    assert pacing.delay(GROUP) == 0


def test_nothing_is_spared_in_a_burst(pacing: Pacing) -> None:
    for _ in range(BURST):
        pacing.reserve(CHAT)
    assert not pacing.reserve_spare(CHAT)
    assert pacing.reserve(CHAT) == pytest.approx(3), "what was not spared took no place"


def test_telegrams_own_pause(pacing: Pacing, clock: Clock) -> None:
    pacing.hold(CHAT, 7)
    pacing.hold(CHAT, 2)
    assert pacing.delay(CHAT) == pytest.approx(7)
    clock.now += 7
    assert pacing.reserve(CHAT) == 0


def test_few_chats_are_remembered(pacing: Pacing) -> None:
    for chat in range(1, 3000):
        pacing.reserve(chat)
    assert len(pacing._chats) == 1000
