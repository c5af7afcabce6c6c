"""Recordings with what is said in them: a list in TOML, its files beside it, each known by its hash.

The list that comes with june lies in ``data``; people's own are folders with a ``clips.toml`` of the same form. Noise
is added as a recording is read, so that only the clean ones are kept.
"""

import hashlib
import re
import tomllib
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError

from activities.error_codes import UnusableAudioError
from activities.speech.noise import with_noise
from activities.transcribe import samples_of
from activities.values import Value

SHIPPED = "june-speech"
"""Name of the data set that comes with june; any other name is the path of a folder."""
LISTED = "clips.toml"
DATA = Path(__file__).with_name("data")
MAX_SECONDS = 600.0
MAX_BYTES = 100_000_000
CONDITIONS = ("", "@10dB", "@5dB")
"""Of each recording: clean, and with noise so many decibels below the speech."""
LONGEST_NOTE_CHARS = 200
"""Of what is said in a voice note: about 15 s, as most are shorter."""
Decode = Callable[[bytes, float], bytes]
"""Decodes a file of at most so many seconds to PCM (s16le, mono, 16,000 Hz); blocks. Raises UnusableAudioError."""
_TASK = re.compile(r"(?P<clip>[A-Za-z0-9._-]{1,80})(?:@(?P<decibels>-?\d{1,2})dB)?")


class ClipsError(Exception):
    """Recordings that cannot be used; the text says what is wrong."""

    def __init__(self, message: str, code: str = "data-set-malformed") -> None:
        """Keep a sentence and a code: ``data-set-unknown``, ``-changed`` or ``-malformed``."""
        super().__init__(message)
        self.code = code


class Clip(Value):
    """A recording, and what is said in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")
    language: str = Field(pattern="^[a-z]{2}$")
    """ISO 639-1 code."""
    text: str = Field(min_length=1, max_length=2000)
    file: str = ""
    """Beside the list, or in the archive; by default the id, with the ending ``.ogg``."""
    archive: str = ""
    """A ZIP file beside the list that holds the file."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the file."""
    licence: str
    """By SPDX."""
    source: str
    """Where it is from."""
    synthetic: bool = False
    """Nobody has said it: a machine has."""


class _List(Value):
    model_config = ConfigDict(frozen=True, extra="forbid")

    clips: tuple[Clip, ...] = Field(min_length=1)


class ClipSet:
    """A data set of recordings."""

    def __init__(self, folder: Path, clips: tuple[Clip, ...], sha256: str) -> None:
        """Hold what a list says; ``read_set`` reads one."""
        self._folder = folder
        self._clips = {clip.id: clip for clip in clips}
        self.sha256 = sha256
        """Of the list, and so, by the hashes in it, of all that is in the set."""

    @property
    def clips(self) -> tuple[Clip, ...]:
        """All, in order."""
        return tuple(self._clips.values())

    def tasks(self) -> tuple[str, ...]:
        """Return the ids of all recordings in all conditions."""
        return tuple(f"{clip}{condition}" for clip in self._clips for condition in CONDITIONS)

    def clip(self, task: str) -> Clip:
        """Return the recording of a task: ``de-01``, or ``de-01@10dB`` with noise.

        Raises:
            ClipsError: there is none.

        """
        match = _TASK.fullmatch(task)
        clip = self._clips.get(match["clip"]) if match else None
        if clip is None:
            raise ClipsError(f"{task!r} is no recording of this set.")
        return clip

    def content(self, clip: Clip) -> bytes:
        """Return a recording's file; blocks.

        Raises:
            ClipsError: it is not there, or is another.

        """
        name = clip.file or f"{clip.id}.ogg"
        try:
            data = _read(self._folder / clip.archive, name) if clip.archive else (self._folder / name).read_bytes()
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ClipsError(f"The recording {clip.id} cannot be read: {error}.") from error
        if (found := hashlib.sha256(data).hexdigest()) != clip.sha256:
            message = f"The recording {clip.id} is another than the list says: its SHA-256 is {found}."
            raise ClipsError(message, "data-set-changed")
        return data

    def voice_notes(self, language: str) -> tuple[Clip, ...]:
        """Return the recordings in a language (ISO 639-1 code) that are as long as voice notes.

        Raises:
            ClipsError: there are none.

        """
        notes = tuple(clip for clip in self.clips if clip.language == language and len(clip.text) <= LONGEST_NOTE_CHARS)
        if not notes:
            raise ClipsError(f"No recording is in {language!r}.", "data-set-unknown")
        return notes

    def sound(self, task: str, decode: Decode) -> NDArray[np.float32]:
        """Return a task's sound, 16,000 Hz, mono, -1 to 1; blocks.

        Raises:
            ClipsError: there is none, or none that can be read.

        """
        clip = self.clip(task)
        try:
            samples = samples_of(decode(self.content(clip), MAX_SECONDS))
        except UnusableAudioError as error:
            raise ClipsError(f"The recording {clip.id} cannot be read: {error.message}") from error
        match = _TASK.fullmatch(task)
        decibels = match["decibels"] if match else None
        if decibels is None:
            return samples
        seed = int.from_bytes(hashlib.sha256(task.encode()).digest()[:8], "big")
        return with_noise(samples, float(decibels), seed)


@lru_cache(maxsize=4)
def _parsed(folder: Path, content: bytes) -> ClipSet:
    try:
        listed = _List.model_validate(tomllib.loads(content.decode()))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ClipsError(f"{folder / LISTED} is no list of recordings: {error}.") from error
    return ClipSet(folder, listed.clips, hashlib.sha256(content).hexdigest())


def read_set(name: str) -> ClipSet:
    """Read a data set: ``june-speech``, or a folder with a ``clips.toml``; blocks.

    Raises:
        ClipsError: it is not there, or not of this form.

    """
    folder = DATA if name == SHIPPED else Path(name).expanduser()
    try:
        content = (folder / LISTED).read_bytes()
    except OSError as error:
        message = f"{name!r} is neither {SHIPPED} nor a folder with a {LISTED}: {error.strerror}."
        raise ClipsError(message, "data-set-unknown") from error
    return _parsed(folder, content)


def _read(archive: Path, name: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        if opened.getinfo(name).file_size > MAX_BYTES:
            raise ValueError(f"{name} has more than {MAX_BYTES} bytes")
        return opened.read(name)
