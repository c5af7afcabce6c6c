"""Who speaks when: three people in turn, nobody in noise, and what a row of probabilities means."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from playwright.async_api import Page

from tests.support.detector_page import CLOSE, RATE, decided, detector_page, found_in, names, only, still, voice
from tests.support.spoken_microphone import PEOPLE, Heard, conversation, music, noise, speech

pytestmark = pytest.mark.slow

END = 0.8
"""Seconds of silence after which somebody has ended."""
SLOW_END = 1.4


@pytest.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    async with detector_page() as page:
        yield page


@pytest.mark.parametrize("slow", [False, True])
async def test_three_people_speak_in_turn(page: Page, slow: bool) -> None:
    heard = conversation()
    found = await found_in(page, heard, slow=slow)
    assert names(found) == ["start", "end"] * 3
    silence = SLOW_END if slow else END
    for (start, end), began, ended in zip(heard.spoken, found[::2], found[1::2], strict=True):
        assert 0 < began["at"] - start < CLOSE
        assert abs(ended["at"] - silence - end) < CLOSE
        assert began["at"] - began["preRollMs"] / 1000 < start - 0.2  # the first syllable is in the take


async def test_a_pause_for_breath_is_no_end(page: Page) -> None:
    heard = conversation(PEOPLE[:2], pause=0.6)
    assert names(await found_in(page, heard)) == ["start", "end"]


async def test_who_speaks_slowly_has_more_time(page: Page) -> None:
    heard = conversation(PEOPLE[:2], pause=1.1)
    assert names(await found_in(page, heard)) == ["start", "end"] * 2
    assert names(await found_in(page, heard, slow=True)) == ["start", "end"]


async def test_a_faint_voice_is_heard(page: Page) -> None:
    heard = Heard(5).add(speech(PEOPLE[0], 0.004), 1)
    assert names(await found_in(page, heard)) == ["start", "end"]


async def test_a_voice_is_heard_in_noise(page: Page) -> None:
    heard = Heard(6).add(noise(6, 0.01), 0, is_said=False).add(speech(PEOPLE[0]), 2)
    assert names(await found_in(page, heard)) == ["start", "end"]


NOBODY = {
    "a quiet room": lambda: Heard(20),
    "nothing": lambda: only(np.zeros(20 * RATE)),
    "a fan": lambda: only(noise(20)),
    "a loud fan": lambda: only(noise(20, 0.3)),
    "music": lambda: only(music(20)),
    "a hum": lambda: only(0.1 * np.sin(2 * np.pi * 100 * np.arange(20 * RATE) / RATE)),
}


@pytest.mark.parametrize("sound", NOBODY)
async def test_nobody_speaks(page: Page, sound: str) -> None:
    assert await found_in(page, NOBODY[sound]()) == []


async def test_a_click_is_a_misfire(page: Page) -> None:
    """Under 256 ms."""
    assert names(await decided(page, [*still(5), *voice(7), *still(40)])) == ["start", "misfire"]
    assert names(await decided(page, [*still(5), *voice(8), *still(40)])) == ["start", "end"]


async def test_half_sure_frames_neither_begin_nor_end(page: Page) -> None:
    assert await decided(page, voice(100, 0.45)) == []
    assert names(await decided(page, [*voice(10), *voice(100, 0.4)])) == ["start"]
    assert names(await decided(page, [*voice(10), *still(1), *voice(24, 0.4)])) == ["start", "end"]


async def test_the_end_comes_after_800_ms(page: Page) -> None:
    assert names(await decided(page, [*voice(10), *still(24)])) == ["start"]
    assert names(await decided(page, [*voice(10), *still(25)])) == ["start", "end"]
    assert names(await decided(page, [*voice(10), *still(24), *voice(1), *still(24)])) == ["start"]
    assert names(await decided(page, [*voice(10), *still(43)], slow=True)) == ["start"]
    assert names(await decided(page, [*voice(10), *still(44)], slow=True)) == ["start", "end"]


LEVELS = some.sampled_from([0.0, 0.0001, 0.0006, 0.005, 0.06, 1.0])


@given(
    some.lists(
        some.tuples(some.floats(0, 1), LEVELS, some.sampled_from([0.0, 0.0001, 0.02, 0.1, 1.0]), some.integers(1, 40)),
        max_size=40,
    ),
    some.booleans(),
)
async def test_every_beginning_has_one_end(
    page: Page, stretches: list[tuple[float, float, float, int]], slow: bool
) -> None:
    frames = [(probability, level, echo) for probability, level, echo, count in stretches for _ in range(count)]
    allowed = {None: {"start", "maybe"}, "maybe": {"start", "misfire"}, "start": {"end", "misfire"}}
    last: str | None = None
    for name in names(await decided(page, frames, slow=slow)):
        assert name in allowed[last]
        last = name if name in allowed else None
