"""Somebody who talks with june's page: the real page, server and workflows, over engines that do as they are told."""

import asyncio
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, Page
from temporalio import activity

from activities.fetch import FetchedAudio, FetchRequest
from activities.infer import Inference, InferRequest, Sentence
from activities.synthesize import Speech, SynthesizeRequest
from activities.transcribe import TranscribeRequest, Transcript
from activities.values import BlobRef
from bots.web.app import build_app
from bots.web.turns import PLATFORM
from tests.support.page_browser import MICROPHONE_RATE, open_page
from tests.support.page_client import page_of
from tests.support.waiting import until
from tests.support.world import World
from workers.http import listen, serving

MAX_BYTES = 2_000_000
VOICE_RATE = 16_000
LISTEN = """
(() => {
  const connect = AudioNode.prototype.connect;
  window.outputs = [];
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode && !(this instanceof AudioWorkletNode)) {
      const tap = new AnalyserNode(this.context, { fftSize: 512 });
      connect.call(this, tap);
      window.outputs.push(tap);
    }
    return connect.call(this, to, ...more);
  };
  const samples = new Float32Array(512);
  window.loudness = () => Math.max(0, ...window.outputs.map((tap) => {
    tap.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  }));
  window.levels = []; // [milliseconds, peak]
  const look = () => {
    const level = window.loudness();
    window.levels.push([performance.now(), level]);
    if (window.levels.length > 5000) window.levels.shift();
  };
  setInterval(look, 5);
})();
"""
"""Measures what is heard: analysers on all that leads to the loudspeaker."""


@dataclass
class Engines:
    """What june's engines do: transcripts one after the other, and answers of so many sentences."""

    transcripts: list[str] = field(default_factory=lambda: [f"Question {number}." for number in range(1, 20)])
    sentences: int = 2
    seconds: float = 0.6
    """Of each sentence's speech."""
    pause: float = 0.0
    """Seconds that the model takes for each sentence."""
    heard: list[float] = field(default_factory=list)
    """Seconds of each recording that was understood."""


class TalkPage:
    """The page's server, which can be stopped and started, over a world of scripted engines."""

    def __init__(self, world: World, client: object) -> None:
        """Serve nothing yet."""
        self.page = page_of(client, max_bytes=MAX_BYTES)  # type: ignore[arg-type] # Temporal's
        self.engines = Engines()
        self._world = world
        self._port = 0
        self._stop: Callable[[], object] = lambda: None
        self._serving: asyncio.Task[None] | None = None
        world.behaviours |= {
            "fetch": self._fetch,
            "transcribe": self._transcribe,
            "infer": self._infer,
            "synthesize": self._synthesize,
        }

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://localhost:{self._port}/"

    async def start(self) -> None:
        """Serve, on the same port as before."""
        ready, ending = asyncio.Event(), asyncio.Event()
        self.page = replace(self.page, stopping=asyncio.Event())

        async def serve() -> None:
            with listen("127.0.0.1", self._port, str) as listener:
                self._port = listener.getsockname()[1]
                async with serving(build_app(self.page), listener):
                    ready.set()
                    await ending.wait()
                    self.page.stopping.set()

        self._serving = asyncio.create_task(serve())
        self._stop = ending.set
        await ready.wait()

    async def stop(self) -> None:
        """Serve no more."""
        self._stop()
        if self._serving:
            await self._serving

    # The engines

    async def _fetch(self, request: FetchRequest) -> FetchedAudio:
        data = await self.page.store.get(request.source.locator.removeprefix("blob:"))
        pcm = data[44:]
        return FetchedAudio(audio=await self._put(request.chat, pcm, 16_000))

    async def _transcribe(self, request: TranscribeRequest) -> Transcript:
        self.engines.heard.append(request.audio.seconds)
        text = self.engines.transcripts[len(self.engines.heard) - 1]
        return Transcript(text=text, language="en", language_probability=1, seconds=request.audio.seconds, engine_ms=1)

    async def _infer(self, request: InferRequest) -> Inference:
        asked = request.messages[-1].content
        sentences = tuple(f"Sentence {number} about {asked}" for number in range(1, self.engines.sentences + 1))
        info = activity.info()
        turn = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        start = 0
        for index, text in enumerate(sentences):
            for _ in range(round(self.engines.pause / 0.05)):
                activity.heartbeat()
                await asyncio.sleep(0.05)
            said = Sentence(attempt=info.attempt, index=index, text=text, start=start, written=f"{text} ")
            start += len(said.written)
            await turn.signal("sentence", said)
        answer = " ".join(sentences)
        return Inference(answer=answer, sentences=sentences, model="m", finish_reason="stop", attempt=info.attempt)

    async def _synthesize(self, request: SynthesizeRequest) -> Speech:
        times = np.arange(int(self.engines.seconds * VOICE_RATE)) / VOICE_RATE
        tone = (8000 * np.sin(2 * np.pi * (300 + len(request.text)) * times)).astype("<i2").tobytes()
        pcm = await self._put(request.chat, tone, VOICE_RATE)
        return Speech(audio=pcm, pcm=pcm, engine_ms=1)

    async def _put(self, chat: str, pcm: bytes, rate: int) -> BlobRef:
        seconds = len(pcm) / 2 / rate
        return await self.page.store.put(
            PLATFORM, chat, pcm, mime="audio/L16", seconds=seconds, sample_rate=rate, ending="pcm"
        )


@asynccontextmanager
async def visit(browser: Browser, url: str, **options: object) -> AsyncIterator[Page]:
    """Open the page in a browser that has never seen it; its scripts must not complain."""
    async with await browser.new_context(**({"locale": "en-GB"} | options)) as context:  # type: ignore[arg-type] # options of several types
        await context.add_init_script(LISTEN)
        page = await context.new_page()
        complaints = await open_page(page, url)
        yield page
        assert complaints == []


async def another_tab(tab: Page, url: str) -> Page:
    """Open the page once more in the same browser."""
    other = await tab.context.new_page()
    await open_page(other, url)
    return other


async def record(tab: Page, seconds: float = 1.0) -> None:
    """Hold the talk button, by its key."""
    await tab.locator("#talk").focus()
    await tab.keyboard.down("Space")
    await recording(tab, seconds)
    await tab.keyboard.up("Space")


async def recording(tab: Page, seconds: float = 0.0) -> None:
    """Wait until a recording is under way, and has gone on for so long."""
    await tab.wait_for_selector("body[data-state=speaking-user]")
    await tab.wait_for_timeout(1000 * seconds)


async def sounds(tab: Page) -> None:
    """Wait until june is heard."""
    await tab.wait_for_function("() => loudness() > 0.05")


async def silent_after(tab: Page, mark: str) -> float:
    """Return how many milliseconds after a press the last sound was heard; 0 if none was."""
    script = f"""() => {{
        const at = performance.getEntriesByName("{mark}").at(-1).startTime;
        const loud = levels.filter(([time, level]) => time > at && level > 0.005);
        return loud.length ? loud.at(-1)[0] - at : 0;
    }}"""
    return float(await tab.evaluate(script))


async def has_mark(tab: Page, name: str) -> bool:
    """Whether the page has come to a point that it marks."""
    return bool(await tab.evaluate("name => performance.getEntriesByName(name).length", name))


def tone_microphone(file: Path, seconds: float = 30) -> None:
    """Write a microphone that hears a tone all the time: for recordings whose words nobody reads."""
    times = np.arange(int(seconds * MICROPHONE_RATE)) / MICROPHONE_RATE
    with wave.open(str(file), "wb") as target:
        target.setparams((1, 2, MICROPHONE_RATE, len(times), "NONE", "not compressed"))
        target.writeframes((9000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes())


async def first_sound(tab: Page, question: int) -> float:
    """Milliseconds from a question to the first sound after it."""
    script = """(question) => {
        const asked = performance.getEntriesByName("june:asked")[question - 1].startTime;
        const later = performance.getEntriesByName("june:sound").filter((mark) => mark.startTime > asked);
        return later.length ? later[0].startTime - asked : null;
    }"""

    async def heard() -> bool:
        return await tab.evaluate(script, question) is not None

    await until(heard)
    return float(await tab.evaluate(script, question))
