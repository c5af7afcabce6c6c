"""A page that is given sound in one go and tells who speaks when, by june's own modules; and what tests say to it."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Page

from tests.support.page_browser import launched
from tests.support.spoken_microphone import JUNE, PEOPLE, Heard, Sound, speech
from tests.support.static_page import imported, static_page

RATE = 16_000
CLOSE = 0.3
"""Seconds from the truth."""
QUESTION = 6.0
"""The second at which somebody asks, while june has been speaking since 0.5."""

HELPERS = """
window.samplesOf = text => new Int16Array(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer);
window.probabilities = async text => {
    const silero = new june.Silero(await (await fetch("/static/silero.bin")).arrayBuffer());
    const pcm = samplesOf(text);
    return Array.from({ length: Math.floor(pcm.length / 512) }, (_, index) => {
        const frame = pcm.subarray(512 * index, 512 * (index + 1));
        return silero.probability(Float32Array.from(frame, sample => sample / 32768));
    });
};
window.levels = text => {
    const pcm = samplesOf(text);
    return Array.from({ length: Math.floor(pcm.length / 512) }, (_, index) =>
        june.rmsOf(pcm.subarray(512 * index, 512 * (index + 1))));
};
window.decide = (frames, options) => {
    const detector = new june.SpeechDetector(options);
    return frames.flatMap(([probability, level, echo], index) => {
        const found = detector.frame({ probability, level, echo });
        return found ? [{ ...found, at: 0.032 * (index + 1) }] : [];
    });
};
null; // or else the last function would be called
"""

OVER_JUNE = Path(__file__).parent / "over_june.js"

Found = dict[str, Any]
"""What a detector tells, with the second ``at`` which it does."""


@asynccontextmanager
async def detector_page() -> AsyncIterator[Page]:
    """Open one in a browser of its own; it keeps nothing from call to call."""
    async with static_page() as url, launched() as browser:
        page = await browser.new_page()
        await imported(page, url, "vad", "silero", "pcm")
        await page.evaluate(HELPERS)
        await page.evaluate(f"{OVER_JUNE.read_text().replace('export ', '')}; window.overJune = overJune; null")
        yield page


def only(sound: Sound) -> Heard:
    return Heard(len(sound) / RATE).add(sound, 0, is_said=False)


async def found_in(page: Page, heard: Heard, played: Heard | None = None, **options: bool) -> list[Found]:
    """What is told of a microphone's sound, while june plays some."""
    pcm, out = (base64.b64encode(sound.pcm()).decode() for sound in (heard, played or Heard(heard.seconds)))
    found: list[Found] = await page.evaluate(
        """async ([pcm, out, isPlaying, options]) => {
            const [probability, level, echo] = [await probabilities(pcm), levels(pcm), levels(out)];
            return decide(probability.map((one, index) => [one, level[index], isPlaying ? echo[index] : 0]), options);
        }""",
        [pcm, out, played is not None, options],
    )
    return found


def names(found: list[Found]) -> list[str]:
    return [one["name"] for one in found]


async def decided(page: Page, frames: Sequence[tuple[float, float, float]], **options: bool) -> list[Found]:
    """What is told of frames, each a probability, the microphone's level and june's."""
    found: list[Found] = await page.evaluate("([frames, options]) => decide(frames, options)", [list(frames), options])
    return found


def still(count: int) -> list[tuple[float, float, float]]:
    return [(0.01, 0.001, 0)] * count


def voice(count: int, probability: float = 0.9) -> list[tuple[float, float, float]]:
    return [(probability, 0.05, 0)] * count


def over(db: float, delay: float, *, asked: bool = False) -> tuple[Heard, Heard]:
    """What the microphone hears while june speaks for nine seconds, and what june plays."""
    said = np.concatenate([speech(JUNE, 0.1)] * 3)
    heard, played = Heard(12).add(said * 10 ** (db / 20), 0.5 + delay, is_said=False), Heard(12).add(said, 0.5)
    if asked:
        heard.add(speech(PEOPLE[0]), QUESTION)
    return heard, played


Taps = list[tuple[int, float]]
"""An echo: after how many samples, how strong."""


@dataclass
class Talked:
    """What came of talking over june."""

    found: list[Found]
    """What the detector told; ``isSounding`` while june had something to say."""
    silent: list[float]
    """Seconds at which june was silent, its fade included."""
    again: list[float]
    """Seconds at which it went on."""
    unheard: int
    """Samples of june's that nobody has heard, of those before its place at the end."""
    position: int


async def talked(
    page: Page, person: Heard, taps: Taps, *, said: Sound | None = None, strength: Sound | None = None
) -> Talked:
    """Have june speak from 0.5 s on, its echo come back by ``taps`` (times ``strength``), and pause as it is told."""
    voice_of_june = np.concatenate([speech(JUNE, 0.1)] * 3) if said is None else said
    pcm, out = (base64.b64encode(sound).decode() for sound in (person.pcm(), only(voice_of_june).pcm()))
    shape = None if strength is None else [float(one) for one in strength[:: RATE // 100]]
    result = await page.evaluate(
        """async ([pcm, out, taps, shape, seconds]) => {
            const silero = new june.Silero(await (await fetch("/static/silero.bin")).arrayBuffer());
            const floats = text => Float32Array.from(samplesOf(text), sample => sample / 32768);
            const strength = shape && { at: sample => shape[Math.min(shape.length - 1, Math.floor(sample / 160))] };
            return overJune({
                detector: new june.SpeechDetector(), silero, said: floats(out), person: floats(pcm),
                taps, strength, seconds,
            });
        }""",
        [pcm, out, taps, shape, person.seconds],
    )
    return Talked(**result)
