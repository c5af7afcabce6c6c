"""A person with a browser: june's page in a headless Chromium whose microphone is a file."""

import os
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page

from activities.audio.codec import decode
from activities.audio.pcm import SAMPLE_RATE
from tests.support.chromium import CHROMIUM, chromium

MICROPHONE_RATE = 48_000
QUIET_SECONDS = 0.5
ARGUMENTS = (
    "--headless=new",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
)
TIMEOUT_MS = 120_000


@asynccontextmanager
async def launched(microphone: Path | None = None, *, allowed: bool = True) -> AsyncIterator[Browser]:
    """Start a browser, where there is one; its microphone hears the file once, from when it is opened on."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: on Debian, apt-get install chromium, then run this test again")
    extra = ["--use-fake-ui-for-media-stream"] if allowed else []
    if microphone:
        extra.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    async with chromium(*ARGUMENTS, *extra) as browser:
        yield browser


def as_microphone(sound: bytes, file: Path) -> float:
    """Write sound as the file that Chromium takes for a microphone; return its seconds, silence included."""
    samples = np.frombuffer(decode(sound, max_seconds=60), "<i2").astype(float)
    quiet = np.zeros(int(QUIET_SECONDS * SAMPLE_RATE))
    samples = np.concatenate([quiet, samples, quiet, quiet])
    seconds = len(samples) / SAMPLE_RATE
    times = np.arange(int(seconds * MICROPHONE_RATE)) * SAMPLE_RATE / MICROPHONE_RATE
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(MICROPHONE_RATE)
        target.writeframes(np.interp(times, np.arange(len(samples)), samples).astype("<i2").tobytes())
    return seconds


async def open_page(page: Page, url: str) -> list[str]:
    """Open june's page; the list fills with what its scripts complain of, but for a server that is away."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if is_fault(said) else None)
    page.set_default_timeout(TIMEOUT_MS)
    await page.goto(url)
    await page.wait_for_selector("html[data-ready]")
    return complaints


def is_fault(said: ConsoleMessage) -> bool:
    return said.type == "error" and not said.text.startswith("Failed to load resource")


async def hold(page: Page, seconds: float) -> None:
    """Hold the talk button for as long as the microphone speaks."""
    box = await page.locator("#talk").bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.wait_for_selector("body[data-state=speaking-user]")
    await page.wait_for_timeout(1000 * seconds)
    await page.mouse.up()


async def write(page: Page, text: str) -> None:
    """Type a message and send it."""
    await page.locator("#text").fill(text)
    await page.keyboard.press("Enter")


async def answered(page: Page, turns: int) -> None:
    """Wait until so many turns are done."""
    await page.wait_for_selector(f":nth-match(.turn:not(.going), {turns})")


async def marks(page: Page) -> list[tuple[str, float]]:
    """List what happened in the page, with milliseconds since it was opened."""
    script = "performance.getEntriesByType('mark').map(mark => [mark.name, mark.startTime])"
    found: list[Any] = await page.evaluate(script)
    return [(str(name), float(at)) for name, at in found]


async def picture(page: Page, folder: Path, name: str) -> None:
    """Take a screenshot; into the folder ``JUNE_SCREENSHOTS`` instead, where that is set."""
    kept = os.environ.get("JUNE_SCREENSHOTS")
    await page.screenshot(path=(Path(kept) if kept else folder) / f"{name}.png")
