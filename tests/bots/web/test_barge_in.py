"""Somebody talks over june, and june's own echo does not: whatever it comes back like."""

from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from playwright.async_api import Page

from tests.support.detector_page import (
    QUESTION,
    RATE,
    Taps,
    decided,
    detector_page,
    found_in,
    names,
    over,
    still,
    talked,
    voice,
)
from tests.support.spoken_microphone import JUNE, MOMENTS, PEOPLE, Heard, Sound, as_loud, moment, speech

pytestmark = pytest.mark.slow

ECHOES = [(-60, 0.0), (-50, 0.1), (-40, 0.0), (-40, 0.1), (-40, 0.25), (-30, 0.1), (-20, 0.1)]
"""How loud june comes back to the microphone (dB), and after how many seconds."""


@pytest.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    async with detector_page() as page:
        yield page


@pytest.mark.parametrize(("db", "delay"), [*ECHOES, (-10, 0.1), (0, 0.1)])
async def test_june_does_not_interrupt_itself(page: Page, db: float, delay: float) -> None:
    assert await found_in(page, *over(db, delay)) == []


@pytest.mark.parametrize(("db", "delay"), ECHOES)
async def test_a_question_over_june_is_heard(page: Page, db: float, delay: float) -> None:
    maybe, start, *_ = await found_in(page, *over(db, delay, asked=True))
    assert (maybe["name"], start["name"]) == ("maybe", "start")
    assert QUESTION < maybe["at"] < start["at"] <= QUESTION + 0.6
    assert start["at"] - start["preRollMs"] / 1000 < QUESTION  # nothing of it is lost


def room() -> Taps:
    """As it comes back from walls: 75 ms, -30 dB."""
    made = np.random.default_rng(1)
    late = np.sort(made.integers(0, 4800, 60))
    walls = made.standard_normal(60) * np.exp(-late / 1200)
    walls *= 0.03 / np.sqrt(np.sum(walls**2))
    return [(int(after) + RATE // 10, float(gain)) for after, gain in zip(late, walls, strict=True)]


TIMES = np.arange(60 * RATE) / RATE
HARD: dict[str, tuple[Taps, Sound | None]] = {
    "in a room": (room(), None),
    "through a wireless loudspeaker": ([(RATE // 4, 0.01)], None),
    "turned up by 20 dB after six seconds": ([(RATE // 10, 1.0)], np.where(TIMES < 6, 0.01, 0.1)),
    "the browser's canceller loses its way every three seconds, for 0.4": (
        [(RATE // 10, 1.0)],
        np.where(TIMES % 3 < 0.4, 0.018, 0.003),
    ),
    "it needs some seconds to find it": ([(RATE // 10, 1.0)], 0.1 * np.exp(-TIMES / 2) + 0.003),
    "the loudspeaker is off for four seconds": ([(RATE // 10, 1.0)], np.where(TIMES < 4, 0, 0.02)),
}
"""How june comes back where that is not the same all the time, or nobody knows when."""
VOICES: dict[str, Callable[[], list[Sound]]] = {
    "june": lambda: [speech(JUNE, 0.1)] * 4,
    "many": lambda: [speech(file, 0.1) for file in PEOPLE] * 3,
}
PAUSE_SECONDS = 0.5
"""The longest for which june is silent over nothing but its echo, or a noise."""


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("echo", HARD)
async def test_no_echo_is_taken_for_somebody(page: Page, echo: str, voice: str) -> None:
    """In ten seconds and more june pauses three times at most, for a moment; all of it is heard."""
    said = np.concatenate(VOICES[voice]())
    taps, strength = HARD[echo]
    came = await talked(page, Heard(len(said) / RATE + 2), taps, said=said, strength=strength)
    assert names(came.found) in [["maybe", "misfire"] * pauses for pauses in range(4)]
    assert all(again - silent < PAUSE_SECONDS for silent, again in zip(came.silent, came.again, strict=True))
    assert came.unheard == 0


LATE = 0.06
"""Seconds from the microphone's sound to the detector, and from there to the loudspeaker: measured in Chromium."""


@pytest.mark.parametrize(
    "echo", [[], [(RATE // 10, 0.01)], [(RATE // 4, 0.03)], room()], ids=["none", "40", "30", "room"]
)
@pytest.mark.parametrize("name", MOMENTS)
async def test_june_is_silent_within_300_ms_of_a_voice(page: Page, name: str, echo: Taps) -> None:
    for at in (4.51, 5.408):
        said = moment(name)
        came = await talked(page, Heard(at + len(said) / RATE + 1).add(said, at), echo)
        maybe, start, *_ = came.found
        assert maybe["name"] == "maybe"
        assert at < came.silent[0] <= at + 0.3 - LATE
        if name in DOUBTFUL:
            continue
        assert start["name"] == "start"
        assert start["at"] - start["preRollMs"] / 1000 < at - 0.1  # nothing of it is lost


DOUBTFUL = {"my fellow"}
"""Alone, Silero gives it 0.2 to 0.5."""


def burst(seconds: float, fade: float, rms: float) -> Sound:
    """Make noise that begins at once and fades away."""
    count = int(seconds * RATE)
    made: Sound = np.random.default_rng(5).standard_normal(count) * np.exp(-np.arange(count) / RATE / fade)
    return as_loud(made, rms)


def cough() -> Sound:
    """Make a burst of breath with a voice in it."""
    times = np.arange(int(0.35 * RATE)) / RATE
    tones = [np.sin(2 * np.pi * 140 * n * times * (1 - 0.3 * times)) / n for n in range(1, 6)]
    voiced: Sound = np.sum(tones, axis=0) * np.minimum(1, times / 0.05) * np.exp(-times / 0.08)
    return burst(0.35, 0.06, 0.08) + as_loud(voiced, 0.04)


def keys() -> Sound:
    """Make two seconds of typing."""
    return np.concatenate(
        [np.pad(burst(0.04, 0.008, 0.06), (0, int(late * RATE))) for late in (0.1, 0.13, 0.09, 0.15) * 3]
    )


NOISES: dict[str, Callable[[], Sound]] = {
    "a click": lambda: burst(0.02, 0.003, 0.1),
    "keys": keys,
    "a cough": cough,
    "a slam": lambda: burst(0.6, 0.09, 0.12),
}


@pytest.mark.parametrize("echo", [[], [(RATE // 10, 0.01)], room()], ids=["none", "40", "room"])
@pytest.mark.parametrize("noise", NOISES)
async def test_a_noise_is_a_short_pause_at_most(page: Page, noise: str, echo: Taps) -> None:
    came = await talked(page, Heard(7.5).add(NOISES[noise](), 5.0), echo)
    assert "start" not in names(came.found)
    assert len(came.silent) == len(came.again) <= 2
    assert all(again - silent < PAUSE_SECONDS + 0.1 for silent, again in zip(came.silent, came.again, strict=True))
    assert came.unheard == 0


LOUD, FAINT, ROOM, OUT = 0.06, 0.0006, 0.0001, 0.1
LEARNT: list[tuple[float, float, float]] = [(0.9, FAINT, OUT)] * 120
"""june speaks for 3.8 seconds: its echo is 40 dB below what it plays."""


async def test_the_first_three_seconds_are_june_alone(page: Page) -> None:
    assert await decided(page, [(0.99, LOUD, OUT)] * 93) == []


async def test_twelve_of_sixteen_frames_are_needed(page: Page) -> None:
    sure = [(0.9, LOUD, OUT)] * 11
    unsure = [(0.7, LOUD, OUT)] * 25
    assert names(await decided(page, [*LEARNT, *[(0.5, ROOM, OUT)] * 16, *sure, *unsure])) == ["maybe", "misfire"]
    assert names(await decided(page, [*LEARNT, *[(0.5, ROOM, OUT)] * 16, *sure, (0.9, LOUD, OUT)])) == [
        "maybe",
        "start",
    ]


async def test_a_voice_that_comes_up_slowly_is_not_learnt_as_an_echo(page: Page) -> None:
    """Silero needs a third of a second for some; with headphones there is no echo at all."""
    silent = [(0.0, 1e-5, OUT)] * 120
    rising = [(probability, LOUD, OUT) for probability in (0.01, 0.03, 0.33, 0.45, 0.55, 0.64, 0.62, 0.7, 0.71, 0.76)]
    assert names(await decided(page, [*silent, *rising, *[(0.9, LOUD, OUT)] * 20])) == ["maybe", "start"]


async def test_june_pauses_after_96_ms(page: Page) -> None:
    quiet = [(0.1, ROOM, OUT)] * 16
    assert await decided(page, [*LEARNT, *quiet, *[(0.9, LOUD, OUT)] * 2]) == []
    (maybe,) = await decided(page, [*LEARNT, *quiet, *[(0.3, LOUD, OUT)] * 3])  # a voice comes up
    assert maybe["at"] == pytest.approx(0.032 * (120 + 16 + 3))


async def test_what_ends_when_june_pauses_was_its_echo(page: Page) -> None:
    """Somebody has turned the loudspeaker up: it is heard for as long as an echo takes, and no longer."""
    louder, tail, nothing = [(0.95, FAINT * 6, OUT)] * 3, [(0.95, FAINT * 6, 0.0)] * 5, [(0.2, ROOM, 0.0)] * 6
    assert names(await decided(page, [*LEARNT, *louder, *tail, *nothing])) == ["maybe", "misfire"]


async def test_a_pause_is_not_for_ever(page: Page) -> None:
    """Something like a voice goes on, and so does another sound of june's: after a second nobody waits any longer."""
    unsure = [(0.5, LOUD, OUT)] * 40
    maybe, misfire, *_ = await decided(page, [*LEARNT, *[(0.1, ROOM, OUT)] * 16, *unsure])
    assert misfire["at"] - maybe["at"] == pytest.approx(32 * 0.032)


async def test_echo_taken_for_somebody_is_not_so_again(page: Page) -> None:
    """The bar is 6 dB higher from then on."""
    quiet, echo = [(0.1, ROOM, OUT)] * 16, [(0.95, FAINT * 4, OUT)] * 7
    once = [*LEARNT, *quiet, *echo, *[(0.95, FAINT, OUT / 4)] * 20]
    assert names(await decided(page, once)) == ["maybe", "misfire"]
    assert names(await decided(page, [*once, *quiet, *echo])) == ["maybe", "misfire"]


async def test_when_june_ends_a_suspicion_is_decided(page: Page) -> None:
    quiet, doubt = [(0.1, ROOM, OUT)] * 16, [(0.9, LOUD, OUT)] * 7
    tail, silence = [(0.1, ROOM, 0.0)] * 9, [(0.1, ROOM, 0.0)] * 10
    assert names(await decided(page, [*LEARNT, *quiet, *doubt, *tail, *silence])) == ["maybe", "misfire"]
    assert names(await decided(page, [*LEARNT, *quiet, *doubt, *voice(20)])) == ["maybe", "start"]


async def test_an_echo_lasts_longer_than_june(page: Page) -> None:
    """For 300 ms after its last sound, june is not somebody."""
    assert await decided(page, [*LEARNT, *[(0.9, FAINT, 0.0)] * 9, *still(20)]) == []


async def test_who_answers_at_once_is_heard(page: Page) -> None:
    found = await decided(page, [*LEARNT, *still(12), *voice(10), *still(30)])
    assert names(found) == ["start", "end"]


async def test_what_is_learnt_stays_with_the_microphone(page: Page) -> None:
    """The next watch need not learn anew."""
    found = await page.evaluate(
        """([learnt, question]) => {
            const echo = {};
            decide(learnt, { echo });
            return decide(question, { echo });
        }""",
        [LEARNT, [(0.9, LOUD, OUT)] * 13],
    )
    assert names(found) == ["maybe", "start"]
