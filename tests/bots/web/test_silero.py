"""Silero in the page beside onnxruntime, frame by frame."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import faster_whisper
import numpy as np
import onnxruntime  # type: ignore[import-untyped] # has no types
import pytest
from playwright.async_api import Page

from tests.support.detector_page import RATE, detector_page, only
from tests.support.spoken_microphone import PEOPLE, music, noise, speech

pytestmark = pytest.mark.slow

FRAME, CONTEXT = 512, 64
"""Samples that Silero hears at a time, and those before them that it hears again."""
MODEL = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"


@pytest.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    async with detector_page() as page:
        yield page


def reference(pcm: bytes) -> list[float]:
    """The probabilities that onnxruntime calculates with the model itself."""
    session = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    hidden = cell = np.zeros((1, 1, 128), np.float32)
    padded, found = np.concatenate([np.zeros(CONTEXT, np.float32), samples]), list[float]()
    for start in range(0, len(samples) - FRAME + 1, FRAME):
        heard = {"input": padded[None, start : start + CONTEXT + FRAME], "h": hidden, "c": cell}
        probability, hidden, cell = session.run(None, heard)
        found.append(float(probability.item()))
    return found


SOUNDS = {
    "a speech": lambda: only(speech("jfk.flac")),
    "a faint one": lambda: only(speech(PEOPLE[0], 0.002)),
    "one that clips": lambda: only(speech(PEOPLE[2], 0.8)),
    "noise": lambda: only(noise(4)),
    "music": lambda: only(music(4)),
    "nothing": lambda: only(np.zeros(4 * RATE)),
}


@pytest.mark.parametrize("sound", SOUNDS)
async def test_probabilities_are_those_of_onnxruntime(page: Page, sound: str) -> None:
    pcm = SOUNDS[sound]().pcm()
    found = await page.evaluate("probabilities", base64.b64encode(pcm).decode())
    assert np.abs(np.array(found) - reference(pcm)).max() < 0.005


async def test_weights_of_another_size_are_refused(page: Page) -> None:
    said = await page.evaluate(
        """() => {
            try { new june.Silero(new ArrayBuffer(445188)); } catch (error) { return error.message; }
        }"""
    )
    assert said == "silero.bin has 445188 bytes, not 445186"
