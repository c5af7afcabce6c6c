"""june's voice pauses and goes on: sample by sample, in a sound system that is rendered without a clock."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Browser, Page

from tests.support.static_page import imported, static_page

pytestmark = pytest.mark.slow

RATE = 48_000
SENTENCE, PAUSE = 0.5, 0.15
"""Seconds of each sentence, and between two."""
LEAD, FADE, REWIND = 0.01, 0.02, 0.05

SPEAK = """
let decoded = 0;
window.AudioContext = class extends OfflineAudioContext {
    constructor() { super(1, 4 * 48000, 48000); }
    async resume() {} // what wakes a page's sound system would end the moment at which a thing is done
    async decodeAudioData(data) {
        const buffer = await super.decodeAudioData(data);
        decoded++;
        return buffer;
    }
};
const scheduled = async count => {
    while (decoded < count) await new Promise(resolve => setTimeout(resolve, 1));
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setTimeout(resolve, 0));
};
/** Say sentences whose samples tell their places (0.1 to 0.9), and do things at times; gives what is heard. */
window.speak = async (count, things) => {
    const context = june.soundSystem();
    const speaker = new june.Speaker();
    const told = [];
    const say = () => speaker.play(sentence(), { of: "answer", onBegin: () => told.push("began") })
        .then(() => told.push("ended"));
    for (let index = 0; index < count; index++) say();
    await scheduled(count);
    const does = {
        pause: () => speaker.pause(), goOn: () => speaker.goOn(), stop: () => speaker.stop(),
        begun: () => told.push(speaker.begun("answer")), say: async () => {
            say();
            await scheduled(++count);
        },
    };
    for (const [name, at] of things) {
        context.suspend(at).then(async () => {
            await does[name]();
            OfflineAudioContext.prototype.resume.call(context);
        });
    }
    const heard = await context.startRendering();
    const ended = () => told.filter(one => one === "ended").length;
    for (let turn = 0; turn < 400 && ended() < count; turn++) await new Promise(resolve => setTimeout(resolve, 5));
    return { heard: Array.from(heard.getChannelData(0), sample => Math.round(sample * 1e4)), told };
};
/** WAV, float. */
function sentence() {
    const count = 24000;
    const data = new DataView(new ArrayBuffer(44 + 4 * count));
    const write = (at, text) => [...text].forEach((letter, index) => data.setUint8(at + index, letter.charCodeAt(0)));
    write(0, "RIFF"); data.setUint32(4, 36 + 4 * count, true); write(8, "WAVEfmt ");
    data.setUint32(16, 16, true); data.setUint16(20, 3, true); data.setUint16(22, 1, true);
    data.setUint32(24, 48000, true); data.setUint32(28, 192000, true); data.setUint16(32, 4, true);
    data.setUint16(34, 32, true); write(36, "data"); data.setUint32(40, 4 * count, true);
    for (let index = 0; index < count; index++) data.setFloat32(44 + 4 * index, 0.1 + 0.8 * index / count, true);
    return data.buffer;
}
null; // or else the last function would be called
"""


@pytest.fixture
async def page(view_browser: Browser) -> AsyncIterator[Page]:
    async with static_page() as url:
        page = await view_browser.new_page()
        await imported(page, url, "sound")
        await page.evaluate(SPEAK)
        yield page
        await page.close()


Things = list[tuple[str, float]]


async def spoken(page: Page, count: int, things: Things) -> tuple[NDArray[np.float64], list[object]]:
    """What is heard of so many sentences (a sample each, 0 to 1), and what was told meanwhile."""
    found = await page.evaluate("([count, things]) => speak(count, things)", [count, things])
    return np.array(found["heard"]) / 1e4, found["told"]


def place(heard: NDArray[np.float64], at: float) -> float:
    """The second of a sentence that is heard at a time."""
    return float((heard[round(at * RATE)] - 0.1) / 0.8 * SENTENCE)


def is_silent(heard: NDArray[np.float64], begin: float, end: float) -> bool:
    return not np.any(heard[round(begin * RATE) : round(end * RATE)])


async def test_a_pause_is_silence_at_once_and_loses_nothing(page: Page) -> None:
    heard, _ = await spoken(page, 3, [("pause", 0.4), ("goOn", 0.8)])
    assert place(heard, 0.39) == pytest.approx(0.38, abs=0.005)
    assert is_silent(heard, 0.4 + FADE + 0.004, 0.8)
    resumed = 0.8 + LEAD
    assert place(heard, resumed + 0.1) == pytest.approx(0.4 - LEAD - REWIND + 0.1, abs=0.005)
    end = resumed + SENTENCE - (0.4 - LEAD - REWIND)
    assert is_silent(heard, end + 0.005, end + PAUSE - 0.005)  # as between any two
    assert place(heard, end + PAUSE + 0.2) == pytest.approx(0.2, abs=0.005)
    assert place(heard, end + 2 * PAUSE + SENTENCE + 0.4) == pytest.approx(0.4, abs=0.005)


@pytest.mark.parametrize("at", [0.01, 0.3, 0.52, 0.66])
async def test_all_is_heard_wherever_it_pauses(page: Page, at: float) -> None:
    """Before the first sentence, within one, between two: every place, and never one before its time."""
    heard, told = await spoken(page, 2, [("pause", at), ("goOn", 1.2)])
    places = np.round((heard[heard > 0.1] - 0.1) / 0.8 * SENTENCE, 2)
    assert set(np.round(np.arange(0.01, SENTENCE - 0.01, 0.01), 2)) <= set(places)
    assert told.count("ended") == 2
    assert np.count_nonzero(heard > 0.1) < (2 * SENTENCE + REWIND + 2 * FADE) * RATE  # once each


async def test_there_is_no_click(page: Page) -> None:
    heard, _ = await spoken(page, 1, [("pause", 0.3), ("goOn", 0.6)])
    begun = heard[round(0.05 * RATE) : round((0.8 - LEAD) * RATE)]
    assert np.max(np.abs(np.diff(begun))) < 0.002


async def test_what_comes_during_a_pause_waits(page: Page) -> None:
    heard, told = await spoken(page, 1, [("pause", 0.3), ("say", 0.4), ("begun", 1.1), ("goOn", 1.2), ("begun", 1.7)])
    assert is_silent(heard, 0.33, 1.2)
    assert [one for one in told if isinstance(one, int)] == [1, 2]
    assert told.count("ended") == 2


async def test_what_is_said_after_a_stop_within_a_pause_is_heard(page: Page) -> None:
    heard, told = await spoken(page, 2, [("pause", 0.3), ("stop", 0.6), ("say", 0.8), ("begun", 1.2)])
    assert is_silent(heard, 0.33, 0.8)
    assert place(heard, 1.0) == pytest.approx(0.19, abs=0.005)
    assert [one for one in told if isinstance(one, int)] == [1]


async def test_nothing_that_fails_leaves_june_silent(view_browser: Browser) -> None:
    async with static_page() as url:
        page = await view_browser.new_page()
        await imported(page, url, "sound")
        await page.clock.install()
        await page.evaluate("""() => {
            const speaker = new june.Speaker();
            june.wake();
            const goOn = speaker.goOn.bind(speaker);
            speaker.goOn = () => { window.wentOn = true; goOn(); };
            speaker.pause();
        }""")
        await page.clock.fast_forward(2000)
        await page.wait_for_function("() => window.wentOn")
        await page.close()
