"""Text to speech that is never silent: the best voice there is for each language, and for each script in a sentence."""

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from av import AudioFrame, AudioResampler

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.synthesize import Sound
from activities.text.languages import language_code
from workers.engines.scripts import Run, runs

PAUSE_SECONDS = 0.06
"""Between pieces in different scripts."""

_log = logging.getLogger(__name__)


class Speaker(Protocol):
    """An engine with voices for some languages."""

    def speaks(self, language: str) -> bool:
        """Whether a voice for this language (ISO 639-1) is here."""

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        """Return the speech of ``text``."""


class Fallback(Protocol):
    """An engine that speaks any language."""

    def synthesize(self, text: str, language: str) -> Sound:
        """Return the speech of ``text``; empty only where there is nothing to say."""


class MultilingualSynthesizer:
    """Synthesizes by a good engine where it speaks the language, else by the fallback; satisfies ``Synthesizer``."""

    def __init__(self, speaker: Speaker, fallback: Fallback | None) -> None:
        """Speak by ``speaker``; where it cannot, by ``fallback``, if any."""
        self._speaker = speaker
        self._fallback = fallback

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        """Synthesize ``text``; pieces in a script that its language lacks are spoken in a language that has it.

        The voice that is named speaks what is in its language.

        Raises:
            BadInputError: ``voice-unavailable``, no voice speaks the language and there is no fallback.

        """
        code = language_code(language)
        pieces = [self._speak(piece, code, voice) for piece in runs(text, code)]
        return pieces[0] if len(pieces) == 1 else join(pieces)

    def _speak(self, piece: Run, sentence: str, voice: str | None) -> Sound:
        for language in dict.fromkeys((piece.language, *(() if self._fallback else (sentence,)))):
            if self._speaker.speaks(language):
                try:
                    sound = self._speaker.synthesize(piece.text, language, voice)
                except Exception:  # whatever ails the voice, as a library that it needs and that is not installed
                    if self._fallback is None:
                        raise
                    _log.exception("The voice for %r failed; espeak-ng speaks", language)
                else:
                    if sound.samples.size or self._fallback is None or not any(map(str.isalnum, piece.text)):
                        return sound
        if self._fallback is None:
            message = f"No voice speaks {piece.language!r}; see JUNE_PIPER_VOICES and JUNE_PIPER_FALLBACK."
            raise BadInputError(ErrorCode.VOICE_UNAVAILABLE, message)
        return self._fallback.synthesize(piece.text, piece.language)


def join(sounds: Sequence[Sound]) -> Sound:
    """Join sounds, with a pause between, at the highest of their sample rates; empty ones are left out."""
    rate = max(sound.sample_rate for sound in sounds)
    spoken = [_at_rate(sound, rate) for sound in sounds if sound.samples.size]
    pause = np.zeros(round(PAUSE_SECONDS * rate), np.int16)
    parts = [part for samples in spoken for part in (pause, samples)][1:]
    return Sound(np.concatenate(parts) if parts else np.zeros(0, np.int16), rate)


def _at_rate(sound: Sound, rate: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    if sound.sample_rate == rate:
        return sound.samples
    frame = AudioFrame.from_ndarray(sound.samples[None], format="s16", layout="mono")
    frame.sample_rate = sound.sample_rate
    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    # Some samples give no frame at all.
    return np.concatenate([np.zeros(0, np.int16), *(each.to_ndarray()[0] for each in frames)]).astype(np.int16)
