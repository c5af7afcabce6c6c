"""A microphone in a real Chromium tells who speaks when."""

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Page
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from activities.audio.pcm import SAMPLE_RATE
from bots.web.sound import as_wav
from tests.support.detector_page import CLOSE, QUESTION, Found, names, over
from tests.support.page_browser import launched
from tests.support.spoken_microphone import MOMENTS, Heard, conversation, moment
from tests.support.static_page import imported, static_page

pytestmark = pytest.mark.slow


WORKLET = Path(__file__).parents[2] / "support" / "record-worklet.js"


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    worklet = Route("/static/record-worklet.js", lambda _request: FileResponse(WORKLET))
    async with static_page([worklet]) as url:
        yield url


LIVE = """
window.live = async (echo, wanted) => {
    const context = new AudioContext();
    const microphone = await june.openMicrophone(context);
    const clock = microphone.begin(); // its seconds are those of the microphone
    const told = [];
    const tell = name => detail => told.push({ name, at: clock.seconds, ...detail });
    const watch = microphone.watch({
        onStart: tell("start"), onEnd: tell("end"), onMaybe: tell("maybe"), onMisfire: tell("misfire"), echo,
    });
    await watch.ready;
    while (told.length < wanted && !microphone.closed) await new Promise(resolve => setTimeout(resolve, 20));
    watch.stop();
    microphone.close();
    return told;
};
null; // or else the last function would be called
"""


RECORD = """
/** What the microphone hears and what june plays, by the audio clock: [milliseconds, and the peak of each]. */
window.record = async context => {
    const connect = AudioNode.prototype.connect;
    await context.audioWorklet.addModule("/static/record-worklet.js");
    const tap = new AudioWorkletNode(context, "record", { numberOfInputs: 2 });
    const peaks = [];
    tap.port.onmessage = ({ data }) => {
        for (const [frame, ...both] of data) peaks.push([(1000 * frame) / context.sampleRate, ...both]);
    };
    connect.call(tap, context.destination);
    AudioNode.prototype.connect = function (to, ...more) {
        if (this instanceof MediaStreamAudioSourceNode) connect.call(this, tap, 0, 0);
        else if (to === context.destination && !(this instanceof AudioWorkletNode)) connect.call(this, tap, 0, 1);
        return connect.call(this, to, ...more);
    };
    return peaks;
};
window.bytesOf = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
window.talkOver = async seconds => {
    const context = june.wake();
    const peaks = await record(context);
    const speaker = new june.Speaker();
    const microphone = await june.openMicrophone(context);
    const clock = microphone.begin(); // its seconds are those of the microphone
    const told = [];
    const speak = () => speaker.play(samples.slice(0)).catch(() => {});
    const tell = (name, then) => () => {
        told.push(name);
        then();
    };
    const watch = microphone.watch({
        echo: () => speaker.echo(),
        onMaybe: tell("maybe", () => speaker.pause()),
        onMisfire: tell("misfire", () => speaker.goOn()),
        onStart: tell("start", () => speaker.stop()),
        onEnd: tell("end", speak),
    });
    await watch.ready;
    speak();
    while (clock.seconds < seconds) await new Promise(resolve => setTimeout(resolve, 20));
    return { told, peaks };
};
null; // or else the last function would be called
"""
QUIET = 0.005
"""Of a peak: below it nobody hears june."""
SILENT_MS = 150
"""No sound of june's has a longer gap within it."""
Peaks = NDArray[np.float64]
VOICE_FROM, GAP_MS = 0.02, 1500
"""Of the loudest peak: above it somebody speaks; and how long nobody does before the next."""
SAID, APART = 6.0, 5.0
"""Seconds at which somebody talks over june for the first time, and from one time to the next."""


@asynccontextmanager
async def hearing(heard: Heard, folder: Path, url: str) -> AsyncIterator[Page]:
    """A page whose microphone hears this."""
    heard.as_microphone(folder / "heard.wav")
    async with launched(folder / "heard.wav") as browser:
        page = await browser.new_page()
        await imported(page, url, "capture", "sound")
        await page.evaluate(LIVE)
        await page.evaluate(RECORD)
        yield page


async def test_a_microphone_tells_when_three_people_speak(tmp_path: Path, url: str) -> None:
    heard = conversation()
    async with hearing(heard, tmp_path, url) as page:
        found: list[Found] = await page.evaluate("live(() => 0, 6)")
    assert names(found) == ["start", "end"] * 3
    for (start, _), began in zip(heard.spoken, found[::2], strict=True):
        onset = began["at"] - (began["preRollMs"] - 500) / 1000  # less what the Worker was late
        assert abs(onset - start) < CLOSE


async def test_a_microphone_tells_a_question_over_june(tmp_path: Path, url: str) -> None:
    """June's voice at -40 dB, which the browser's gain control makes louder."""
    heard, _ = over(-40, 0.1, asked=True)
    async with hearing(heard, tmp_path, url) as page:
        found: list[Found] = await page.evaluate("live(() => 0.1, 2)")
    assert names(found) == ["maybe", "start"]
    assert found[0]["at"] > QUESTION - CLOSE  # not june itself
    assert found[1]["at"] - found[1]["preRollMs"] / 1000 < QUESTION


async def test_june_is_silent_within_300_ms_of_each_of_ten_voices(tmp_path: Path, url: str) -> None:
    """From the voice in the microphone to silence at the loudspeaker, both in one sound system, by its clock."""
    heard = Heard(SAID + APART * len(MOMENTS))
    for index, name in enumerate(MOMENTS):
        heard.add(moment(name), SAID + APART * index)
    async with hearing(heard, tmp_path, url) as page:
        await page.evaluate("text => { window.samples = bytesOf(text) }", june_for(60))
        came = await page.evaluate("talkOver", heard.seconds)
    late = silences(*np.array(came["peaks"]).T)
    assert len(late) == len(MOMENTS)
    logging.getLogger(__name__).info("milliseconds to silence: %s", dict(zip(MOMENTS, late, strict=True)))
    assert sum(one <= 300 for one in late) >= len(MOMENTS) - 2  # a machine that is busy looks at a frame late


def june_for(seconds: float) -> str:
    """WAV in which june speaks without a gap."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pcm = (8000 * np.sin(2 * np.pi * 300 * times)).astype("<i2").tobytes()
    return base64.b64encode(as_wav(pcm, SAMPLE_RATE)).decode()


def silences(clock: Peaks, heard: Peaks, played: Peaks) -> list[int]:
    """How many milliseconds after each beginning of a voice june was last heard."""
    voices = clock[heard > VOICE_FROM * heard.max()]
    begins = [voices[0], *(at for before, at in pairwise(voices) if at - before > GAP_MS)]
    sounding = clock[played > QUIET]
    late = []
    for begin in begins:
        assert np.any((sounding > begin - 50) & (sounding <= begin))  # june was speaking
        end = next(at for at, after in pairwise(sounding) if at > begin and after - at > SILENT_MS)
        late.append(round(end - begin))
    return late


async def test_a_microphone_is_watched_until_it_is_lost_or_stopped(tmp_path: Path, url: str) -> None:
    async with hearing(conversation(), tmp_path, url) as page:
        found = await page.evaluate(
            """async () => {
                const context = new AudioContext();
                let lost = 0;
                const microphone = await june.openMicrophone(context, { onLost: () => lost++ });
                let told = 0;
                const handlers = { onStart: () => told++, onEnd: () => told++ };
                const [stopped, watch] = [microphone.watch(handlers), microphone.watch(handlers)];
                await Promise.all([stopped.ready, watch.ready]);
                stopped.stop();
                while (!told) await new Promise(resolve => setTimeout(resolve, 5));
                await context.suspend();
                while (!lost) await new Promise(resolve => setTimeout(resolve, 20));
                await context.resume();
                microphone.watch(handlers).stop();
                return [told, lost, microphone.closed];
            }"""
        )
    assert found == [1, 1, True]


async def test_without_its_weights_a_watch_says_so() -> None:
    """Nothing is told then, and the page can say that nobody listens."""
    async with (
        static_page([Route("/static/silero.bin", lambda _request: Response("gone", 404))]) as url,
        launched() as browser,
    ):
        page = await browser.new_page()
        await imported(page, url, "speech-watch")
        said = await page.evaluate(
            """() => new Promise(resolve => {
                const watch = new june.SpeechWatch({}, {}, () => resolve(watch.ready.catch(error => error.message)));
            })"""
        )
    assert said == "Error: silero.bin: 404"
