"""Text to speech by Piper."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[import-untyped]
from piper import PiperVoice
from piper.config import PiperConfig

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.synthesize import Sound
from activities.text.languages import language_code
from workers.engines.espeak import ESPEAK_LOCK
from workers.engines.respelling import readable
from workers.models.catalogue import ModelError, ModelProblem, entry, find, pulled_voices
from workers.settings import PiperSettings, StorageSettings


class _LockedVoice(PiperVoice):
    """Piper's own lock guards espeak-ng from Piper alone; june speaks by the same library as well."""

    def phonemize(self, text: str) -> list[list[str]]:
        """Return the phonemes of each sentence."""
        with ESPEAK_LOCK:
            return super().phonemize(text)


@dataclass(frozen=True)
class _Voice:
    name: str
    language: str
    """ISO 639-1 code."""
    piper: PiperVoice


class PiperSynthesizer:
    """Synthesizes sentences; satisfies ``Synthesizer``. Threads may share it: a lock guards espeak-ng.

    The voices of the settings are loaded at the start. Those that were pulled besides are loaded by the first
    sentence in their language: each takes about 150 MB, and half a second.
    """

    def __init__(self, settings: PiperSettings, storage: StorageSettings) -> None:
        """Load the voices, verified, and warm them.

        Raises:
            ModelError: a voice is missing or not what it should be.

        """
        self._threads, self._folder = settings.threads, storage.models
        loaded = [_load(name, self._folder, self._threads) for name in settings.voices]
        self._voices = {voice.name: voice for voice in loaded}
        self._pulled = {
            name: language for name, language in pulled_voices(self._folder).items() if name not in self._voices
        }
        self._loading = threading.Lock()
        self.warm_up()

    def warm_up(self) -> None:
        """Synthesize a word with each voice: the first run of an engine is slower than the others."""
        for voice in self._voices.values():
            self.synthesize("one", voice.language, voice.name)

    def speaks(self, language: str) -> bool:
        """Whether a voice for this language (ISO 639-1) is here, loaded or pulled."""
        return language in self._pulled.values() or any(known.language == language for known in self._voices.values())

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        """Synthesize ``text`` with the named voice if it speaks the language, otherwise with the language's first.

        Raises:
            BadInputError: ``voice-unavailable``, no voice speaks the language.
            ModelError: a voice that was pulled is no longer what it should be.

        """
        code = language_code(language)
        if not (chosen := self._choose(code, voice)):
            raise BadInputError(ErrorCode.VOICE_UNAVAILABLE, f"No voice speaks {code!r}; see JUNE_PIPER_VOICES.")
        spoken = [chunk.audio_int16_array for chunk in chosen.piper.synthesize(_plain(text, code))]
        return Sound(np.concatenate(spoken) if spoken else np.zeros(0, np.int16), chosen.piper.config.sample_rate)

    def _choose(self, code: str, name: str | None) -> _Voice | None:
        speaking = [known for known in self._voices.values() if known.language == code]
        if named := next((known for known in speaking if known.name == name), None):
            return named
        pulled = [known for known, language in self._pulled.items() if language == code]
        if name in pulled:
            return self._load_pulled(name)
        if speaking:
            return speaking[0]
        return self._load_pulled(pulled[0]) if pulled else None

    def _load_pulled(self, name: str) -> _Voice:
        with self._loading:
            if name not in self._voices:
                self._voices = {**self._voices, name: _load(name, self._folder, self._threads)}
            return self._voices[name]


def _load(name: str, folder: Path, threads: int) -> _Voice:
    """Load a voice; Piper's own loader would take all cores, and spin on them."""
    path = find(name, folder)
    try:
        config = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(ModelProblem.MISSING, f"The voice {path} needs its configuration, {path}.json.") from None
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Each length of sentence would leave blocks of its own in the arena, which never shrinks.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    session = InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    language = config.get("language", {}).get("code") or config["espeak"]["voice"]
    voice = _LockedVoice(session, PiperConfig.from_dict(config))
    return _Voice(name if entry(name) else path.stem, language_code(language), voice)


def _plain(text: str, language: str) -> str:
    """Take out what Piper would read as phonemes, ``[[phonemes]]``, and what espeak-ng reads badly."""
    return readable(text, language).replace("[[", "[").replace("]]", "]")
