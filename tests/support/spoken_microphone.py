"""What a microphone hears over time: people who speak with pauses between, noise, and june's own voice."""

import wave
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activities.audio.codec import decode
from activities.audio.pcm import SAMPLE_RATE
from tests.support.page_browser import MICROPHONE_RATE

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
PEOPLE = ("living_room_light_en.wav", "whats_your_name_french.wav", "living_room_light_de.wav")
JUNE = ROOT / "workers" / "assets" / "question.ogg"
"""The voice of june: spoken by Piper."""
QUIET_DB = -30
"""Below the loudest stretch: where nobody speaks."""

Sound = NDArray[np.float64]
"""Samples from -1 to 1, at 16 kHz."""


@cache
def speech(file: str | Path, rms: float = 0.06) -> Sound:
    """Read a recording without the silence around it, as loud as somebody before a microphone."""
    samples = np.frombuffer(decode((DATA / file).read_bytes(), max_seconds=60), "<i2").astype(float) / 32768
    step = SAMPLE_RATE // 50
    loud = [float(np.sqrt(np.mean(samples[at : at + step] ** 2))) for at in range(0, len(samples) - step, step)]
    spoken = np.flatnonzero(np.array(loud) > max(loud) * 10 ** (QUIET_DB / 20))
    return as_loud(samples[spoken[0] * step : (spoken[-1] + 1) * step], rms)


def as_loud(sound: Sound, rms: float) -> Sound:
    """Scale to a root mean square."""
    scaled: Sound = sound * rms / np.sqrt(np.mean(sound**2))
    return scaled


JFK = "jfk.flac"
MOMENTS: dict[str, tuple[str | Path, float, float]] = {
    "english": (PEOPLE[0], 0, 9),
    "french": (PEOPLE[1], 0, 9),
    "german": (PEOPLE[2], 0, 9),
    "spanish": ("living_room_light_es.wav", 0, 9),
    "and so": (JFK, 0, 1.9),
    "my fellow": (JFK, 2.96, 4.1),
    "ask not": (JFK, 5.08, 7.52),
    "ask what": (JFK, 7.86, 10.64),
    "june itself": (JUNE, 0, 1.46),
    "june again": (JUNE, 1.74, 2.94),
}
"""Ten beginnings: of which recording, from when until when."""


def moment(name: str) -> Sound:
    """Give one of the beginnings, as loud as somebody before a microphone."""
    file, begin, end = MOMENTS[name]
    return as_loud(speech(file)[int(begin * SAMPLE_RATE) : int(end * SAMPLE_RATE)], 0.06)


def noise(seconds: float, rms: float = 0.03) -> Sound:
    """Make white noise, as a fan makes it."""
    return as_loud(np.random.default_rng(7).standard_normal(int(seconds * SAMPLE_RATE)), rms)


def music(seconds: float, rms: float = 0.06) -> Sound:
    """Make chords with overtones, struck twice a second, over a beat of noise."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    struck = np.exp(-4 * (times % 0.5))
    chord = np.array([220.0, 277.2, 329.6]) * 2 ** (np.floor(times[:, None] * 2) % 4 * 2 / 12)
    phases = 2 * np.pi * np.cumsum(chord, axis=0) / SAMPLE_RATE
    tones = sum((np.sin(overtone * phases) / overtone).sum(axis=1) for overtone in (1, 2, 3, 4))
    beat = np.random.default_rng(8).standard_normal(len(times)) * np.exp(-30 * (times % 0.25))
    return as_loud(struck * tones + beat, rms)


@dataclass
class Heard:
    """Sound over time, and when somebody speaks in it."""

    seconds: float
    spoken: list[tuple[float, float]] = field(default_factory=list)
    """From when until when, in seconds."""

    def __post_init__(self) -> None:
        """Begin with the noise of a quiet room."""
        self.sound = noise(self.seconds, 1e-4)

    def add(self, sound: Sound, at: float, *, is_said: bool = True) -> "Heard":
        """Mix sound in; note it as what somebody says."""
        start = int(at * SAMPLE_RATE)
        self.sound[start : start + len(sound)] += sound
        if is_said:
            self.spoken.append((at, at + len(sound) / SAMPLE_RATE))
        return self

    def pcm(self) -> bytes:
        """Give s16le at 16 kHz."""
        return _s16le(self.sound)

    def as_microphone(self, file: Path) -> None:
        """Write the file that Chromium takes for a microphone."""
        count = int(self.seconds * MICROPHONE_RATE)
        times = np.arange(count) * SAMPLE_RATE / MICROPHONE_RATE
        with wave.open(str(file), "wb") as target:
            target.setnchannels(1)
            target.setsampwidth(2)
            target.setframerate(MICROPHONE_RATE)
            target.writeframes(_s16le(np.interp(times, np.arange(len(self.sound)), self.sound)))


def conversation(files: Iterable[str] = PEOPLE, *, first: float = 1.0, pause: float = 2.0) -> Heard:
    """Have several people speak, one after the other; then there are two seconds of quiet."""
    at, said = first, []
    for sound in map(speech, files):
        said.append((sound, at))
        at += len(sound) / SAMPLE_RATE + pause
    heard = Heard(at - pause + 2)
    for sound, start in said:
        heard.add(sound, start)
    return heard


def _s16le(sound: Sound) -> bytes:
    samples: bytes = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    return samples
