"""The page's microphone in a real Chromium: its rate, what a take holds, and what takes a microphone away."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Browser, Page

from activities.audio.codec import decode
from tests.support.page_browser import launched
from tests.support.spoken_microphone import PEOPLE, Heard, speech
from tests.support.static_page import imported, static_page

pytestmark = pytest.mark.slow

RATE = 16_000
ONSET = 2.5
"""Seconds of quiet before the microphone's one sentence."""
STARTED = 0.3
"""Seconds that a microphone may take to start."""

HELPERS = """
window.inBase64 = samples => {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
};
window.until = async condition => {
    while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
};
window.opened = async () => {
    window.context ??= new AudioContext();
    await context.resume();
    Object.assign(window, { lost: [], levels: [], tracks: [] });
    const open = MediaDevices.prototype.getUserMedia;
    navigator.mediaDevices.getUserMedia = async wanted => {
        const stream = await open.call(navigator.mediaDevices, wanted);
        tracks.push(...stream.getTracks());
        return stream;
    };
    window.microphone = await june.openMicrophone(context, {
        onLevel: level => levels.push(level),
        onLost: (...what) => lost.push(what),
    });
};
null; // or else the last function would be called
"""


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    async with static_page() as url:
        yield url


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser whose microphone hears one sentence after a while of quiet."""
    file = tmp_path_factory.mktemp("microphone") / "sentence.wav"
    Heard(20).add(speech(PEOPLE[0]), ONSET).as_microphone(file)
    async with launched(file) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A page whose scripts have said nothing against it when the test is over."""
    async with await browser.new_context() as context:
        page, complaints = await context.new_page(), list[str]()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await imported(page, url, "capture", "pcm")
        await page.evaluate(HELPERS)
        yield page
        assert complaints == []


def samples(text: str) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text), "<i2").astype(float) / 32767


# Takes


async def test_a_take_begins_before_it_is_begun(page: Page) -> None:
    """The first syllable is in it, though it is begun when that was heard."""
    text, seconds, peaks = await page.evaluate(
        """async () => {
            await opened();
            await until(() => levels.at(-1) > 0.1);
            const take = microphone.begin({ preRollMs: 500 });
            await until(() => take.seconds >= 2);
            const { pcm, seconds, peaks } = await take.end();
            return [inBase64(pcm), seconds, peaks];
        }"""
    )
    sound = samples(text)
    assert len(sound) == seconds * RATE
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    assert 0.05 * RATE < loud[0] <= 0.5 * RATE
    assert len(peaks) == 44
    assert max(peaks) == pytest.approx(np.abs(sound).max())
    assert np.argmax(peaks) == int(np.abs(sound).argmax() * 44 / len(sound))


async def test_the_ring_holds_two_seconds(page: Page) -> None:
    """From then on it is what was last heard."""
    seconds = await page.evaluate(
        """async () => {
            await opened();
            const first = microphone.begin({ preRollMs: 2000 }).seconds;
            await until(() => levels.length > 200);
            return [first, ...[0, 500, 2000, 60000].map(preRollMs => microphone.begin({ preRollMs }).seconds)];
        }"""
    )
    assert seconds[0] < STARTED
    assert seconds[1:] == [0, 0.5, 2, 2]


async def test_pieces_are_the_take(page: Page) -> None:
    whole, parts, lengths = await page.evaluate(
        """async () => {
            await opened();
            const pieces = [];
            const take = microphone.begin({ preRollMs: 100, onPiece: piece => pieces.push(piece) });
            await until(() => take.seconds > 2.5);
            const { pcm } = await take.end();
            return [inBase64(pcm), inBase64(june.joined(pieces)), pieces.map(piece => piece.length)];
        }"""
    )
    assert whole == parts
    assert all(RATE <= length < 1.02 * RATE for length in lengths[:-1])
    assert len(lengths) == 3


async def test_levels_follow_the_voice(page: Page) -> None:
    levels = await page.evaluate(
        """async () => {
            await opened();
            await until(() => levels.length >= 280);
            return levels;
        }"""
    )
    assert all(0 <= level <= 1 for level in levels)
    assert max(levels[:100]) < 0.05
    assert max(levels) > 0.2


async def test_a_take_can_be_short(page: Page) -> None:
    """Too short to be anything: it says so, and has its peaks all the same."""
    found = await page.evaluate(
        """async () => {
            await opened();
            const { pcm, seconds, peaks } = await microphone.begin().end();
            return [pcm.length, seconds, peaks];
        }"""
    )
    assert found == [0, 0, [0] * 44]


async def test_a_dropped_take_hears_nothing_more(page: Page) -> None:
    pieces = await page.evaluate(
        """async () => {
            await opened();
            let pieces = 0;
            const take = microphone.begin({ onPiece: () => pieces++ });
            take.drop();
            await until(() => levels.length > 100);
            return pieces;
        }"""
    )
    assert pieces == 0


async def test_two_takes_do_not_disturb_each_other(page: Page) -> None:
    found = await page.evaluate(
        """async () => {
            await opened();
            const [one, other] = [microphone.begin(), microphone.begin()];
            await until(() => one.seconds > 0.2);
            const { seconds } = await one.end();
            await until(() => other.seconds > 0.4);
            return [seconds, one.seconds, (await other.end()).seconds];
        }"""
    )
    assert found[0] == found[1] < found[2]


async def test_a_take_is_sent_as_wav(page: Page) -> None:
    text, mime = await page.evaluate(
        """async () => {
            const blob = june.wavOf(Int16Array.from({ length: 4000 }, (_, at) => at * 8 - 16000));
            return [inBase64(new Uint8Array(await blob.arrayBuffer())), blob.type];
        }"""
    )
    assert mime == "audio/wav"
    pcm = np.frombuffer(decode(base64.b64decode(text), max_seconds=60), "<i2")
    assert pcm.tolist() == [at * 8 - 16_000 for at in range(4000)]


# The microphone


async def test_the_context_keeps_its_rate_and_the_microphone_hears_at_once(page: Page) -> None:
    found = await page.evaluate(
        """async () => {
            await opened();
            const { channelCount, echoCancellation, noiseSuppression, autoGainControl } = tracks[0].getSettings();
            return [levels.length > 0, context.sampleRate === new AudioContext().sampleRate,
                channelCount, echoCancellation, noiseSuppression, autoGainControl];
        }"""
    )
    assert found == [True, True, 1, True, True, True]


async def test_a_closed_microphone_is_let_go_of_and_opens_again(page: Page) -> None:
    found = await page.evaluate(
        """async () => {
            await opened();
            const first = microphone;
            const take = first.begin();
            first.close();
            first.close();
            const [track] = tracks;
            await opened();
            await until(() => levels.length > 10);
            return [track.readyState, first.closed, microphone.closed, take.seconds, lost];
        }"""
    )
    assert found == ["ended", True, False, 0, []]


REFUSALS = ["NotAllowedError", "NotFoundError", "NotReadableError", "OverconstrainedError"]


@pytest.mark.parametrize("error", REFUSALS)
async def test_a_refusal_is_the_browsers_own_error(page: Page, error: str) -> None:
    said = await page.evaluate(
        """error => {
            navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", error); };
            return june.openMicrophone(new AudioContext()).then(() => "opened", refused => refused.name);
        }""",
        error,
    )
    assert said == error


async def test_a_microphone_that_cannot_be_heard_is_let_go_of(page: Page) -> None:
    """The worklet is not loaded: told as what it is, and tried again at the next press."""
    found = await page.evaluate(
        """async () => {
            window.context = new AudioContext();
            const addModule = context.audioWorklet.addModule;
            context.audioWorklet.addModule = async () => { throw new DOMException("cut", "AbortError"); };
            const error = await opened().catch(error => error.name);
            const state = tracks[0].readyState;
            context.audioWorklet.addModule = addModule;
            await opened();
            return [error, state, microphone.closed];
        }"""
    )
    assert found == ["AbortError", "ended", False]


# Losses

LOST = """async () => {
    const take = microphone.begin();
    await until(() => take.seconds > 0.4);
    await %s;
    await until(() => lost.length);
    const { pcm, seconds } = await take.end();
    const after = microphone.begin({ preRollMs: 100 });
    return [lost, microphone.closed, tracks[0].readyState, pcm.length === seconds * 16000 && seconds > 0.4,
        after.seconds, tracks[0].label];
}"""


async def lost(page: Page, cause: str) -> list[Any]:
    """Open the microphone, lose it, and list how; a take keeps what it has."""
    await page.evaluate("opened()")
    losses, closed, state, kept, after, label = await page.evaluate(LOST % cause)
    assert (closed, state, kept, after) == (True, "ended", True, 0.1)
    assert [name for _, name in losses] == [label]
    return [reason for reason, _ in losses]


async def test_a_context_that_stops_is_a_loss(page: Page) -> None:
    assert await lost(page, "context.suspend()") == ["muted"]


async def test_a_context_that_does_not_run_is_a_loss(page: Page) -> None:
    """Before anything was heard: the microphone is there, and then it is lost."""
    found = await page.evaluate(
        """async () => {
            const context = new AudioContext();
            await context.suspend();
            const lost = [];
            const microphone = await june.openMicrophone(context, { onLost: reason => lost.push(reason) });
            const before = microphone.closed;
            await until(() => lost.length);
            return [before, microphone.closed, lost];
        }"""
    )
    assert found == [False, True, ["muted"]]


MUTED = "(Object.defineProperty(tracks[0], 'muted', { value: true }), tracks[0].dispatchEvent(new Event('mute')))"


async def test_a_muted_track_is_a_loss(page: Page) -> None:
    assert await lost(page, MUTED) == ["muted"]


async def test_a_track_that_is_muted_for_a_moment_is_none(page: Page) -> None:
    found = await page.evaluate(
        """async () => {
            await opened();
            Object.defineProperty(tracks[0], "muted", { value: true, configurable: true });
            tracks[0].dispatchEvent(new Event("mute"));
            Object.defineProperty(tracks[0], "muted", { value: false });
            tracks[0].dispatchEvent(new Event("unmute"));
            await until(() => levels.length > 150);
            return [lost, microphone.closed];
        }"""
    )
    assert found == [[], False]


async def test_a_track_that_ends_is_a_loss(browser: Browser, url: str) -> None:
    """The permission is taken back, in a browser that asks for one."""
    async with launched(allowed=False) as asking, await asking.new_context(permissions=["microphone"]) as context:
        page = await context.new_page()
        await imported(page, url, "capture", "pcm")
        await page.evaluate(HELPERS)
        await page.evaluate("opened()")
        await context.clear_permissions()
        found = await page.evaluate("until(() => lost.length).then(() => [lost, microphone.closed, tracks[0].label])")
        assert found == [[["ended", found[2]]], True, found[2]]


DEVICES = """(() => {
    const before = tracks[0].getSettings().deviceId;
    navigator.mediaDevices.enumerateDevices = async () => %s;
    navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
})()"""


async def test_an_unplugged_device_is_a_loss(page: Page) -> None:
    assert await lost(page, DEVICES % "[{ kind: 'audioinput', deviceId: 'another', label: 'Another' }]") == ["changed"]


async def test_another_default_device_is_a_loss(page: Page) -> None:
    """Under the same name: the microphone would go on listening to the one before."""
    same_id = "[{ kind: 'audioinput', deviceId: before, label: 'Default - Headset', groupId: 'new' }]"
    assert await lost(page, DEVICES % same_id) == ["changed"]


async def test_other_devices_come_and_go(page: Page) -> None:
    found = await page.evaluate(
        """async () => {
            await opened();
            const devices = await navigator.mediaDevices.enumerateDevices();
            const more = [...devices, { kind: "audioinput", deviceId: "more", label: "More", groupId: "more" }];
            for (const list of [more, devices]) {
                navigator.mediaDevices.enumerateDevices = async () => list;
                navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
            }
            await until(() => levels.length > 50);
            return [lost, microphone.closed];
        }"""
    )
    assert found == [[], False]
