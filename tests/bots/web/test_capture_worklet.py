"""The microphone's rate: what the worklet makes of a context's own, in a real Chromium."""

import base64
from collections.abc import AsyncIterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Page

from tests.support.page_browser import launched
from tests.support.static_page import imported, static_page

pytestmark = pytest.mark.slow

RATE = 16_000

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
null; // or else the last function would be called
"""


@pytest.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    async with static_page() as url, launched() as browser:
        page = await browser.new_page()
        await imported(page, url, "pcm")
        await page.evaluate(HELPERS)
        yield page


def samples(text: str) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text), "<i2").astype(float) / 32767


def rms(sound: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(sound**2)))


async def resampled(page: Page, rate: int, *hertz: float) -> NDArray[np.float64]:
    """Render a second of a sine of amplitude 0.5 (in each channel one) through the worklet."""
    text = await page.evaluate(
        """async ([rate, hertz]) => {
            const context = new OfflineAudioContext(hertz.length, rate, rate);
            await context.audioWorklet.addModule("/static/capture-worklet.js");
            const buffer = new AudioBuffer({ length: rate, sampleRate: rate, numberOfChannels: hertz.length });
            hertz.forEach((one, channel) => {
                const data = buffer.getChannelData(channel);
                data.forEach((_, at) => { data[at] = 0.5 * Math.sin(2 * Math.PI * one * at / rate); });
            });
            const source = new AudioBufferSourceNode(context, { buffer });
            const node = new AudioWorkletNode(context, "capture");
            const blocks = [];
            node.port.onmessage = ({ data }) => blocks.push(data);
            source.connect(node).connect(context.destination);
            source.start();
            await context.startRendering();
            await until(() => blocks.length >= 61);
            return inBase64(june.joined(blocks));
        }""",
        [rate, list(hertz)],
    )
    return samples(text)


WITHIN = slice(500, 15_000)
"""Samples without the beginning and the end of the sound."""


def sine(hertz: float, count: int) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(count) / RATE)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
async def test_a_sine_stays_that_sine(page: Page, rate: int) -> None:
    for hertz in (100, 1000, 3300):
        found = await resampled(page, rate, hertz)
        assert rms((found - sine(hertz, len(found)))[WITHIN]) < 0.001 * rms(found[WITHIN])


@pytest.mark.parametrize("rate", [44_100, 48_000])
async def test_consonants_are_kept(page: Page, rate: int) -> None:
    assert rms((await resampled(page, rate, 6500))[WITHIN]) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
async def test_nothing_is_heard_of_what_lies_above(page: Page, rate: int) -> None:
    """Without a filter 9 kHz would be heard at 7 kHz, as loud as it was."""
    found = {hertz: rms((await resampled(page, rate, hertz))[WITHIN]) for hertz in (8200, 9000, 12_000, 16_500, 20_000)}
    assert {hertz: level for hertz, level in found.items() if level > 0.5 * 10 ** (-60 / 20)} == {}


async def test_two_channels_are_one(page: Page) -> None:
    found = await resampled(page, 48_000, 1000, 2000)
    expected = (sine(1000, len(found)) + sine(2000, len(found))) / 2
    assert rms((found - expected)[WITHIN]) < 0.001
