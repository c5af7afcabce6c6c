"""Text to speech by Piper."""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[import-untyped]
from piper import PiperVoice
from piper.config import PiperConfig

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.synthesize import Sound
from workers.models.catalogue import ModelError, ModelProblem, find, models
from workers.settings import PiperSettings, StorageSettings


@dataclass(frozen=True)
class _Voice:
    name: str
    language: str
    """ISO 639-1 code."""
    piper: PiperVoice


class PiperSynthesizer:
    """Synthesizes sentences; satisfies ``Synthesizer``. Threads may share it: Piper guards espeak-ng by a lock."""

    def __init__(self, settings: PiperSettings, storage: StorageSettings) -> None:
        """Load the voices, verified, and warm them.

        Raises:
            ModelError: a voice is missing or not what it should be.

        """
        loaded = [_load(name, storage.models, settings.threads) for name in settings.voices]
        self._voices = {voice.name: voice for voice in loaded}
        self.warm_up()

    def warm_up(self) -> None:
        """Synthesize a word with each voice: the first run of an engine is slower than the others."""
        for voice in self._voices.values():
            self.synthesize("one", voice.language, voice.name)

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        """Synthesize ``text`` with the named voice if it speaks the language, otherwise with the language's first.

        Raises:
            BadInputError: ``voice-unavailable``, no voice speaks the language.

        """
        code = _code(language)
        speaking = [known for known in self._voices.values() if known.language == code]
        if not speaking:
            raise BadInputError(ErrorCode.VOICE_UNAVAILABLE, f"No voice speaks {code!r}; see JUNE_PIPER_VOICES.")
        piper = next((known for known in speaking if known.name == voice), speaking[0]).piper
        spoken = [chunk.audio_int16_array for chunk in piper.synthesize(_plain(text))]
        return Sound(np.concatenate(spoken) if spoken else np.zeros(0, np.int16), piper.config.sample_rate)


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
    voice = PiperVoice(session, PiperConfig.from_dict(config))
    return _Voice(name if name in models() else path.stem, _code(language), voice)


def _code(language: str) -> str:
    return language.lower().replace("_", "-").split("-")[0]


def _plain(text: str) -> str:
    """Take out what Piper or espeak-ng would read as an instruction: control characters, ``[[phonemes]]``."""
    printable = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in text)
    return printable.replace("[[", "[").replace("]]", "]")
