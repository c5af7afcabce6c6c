"""Text to speech by espeak-ng, in the languages for which there is no better voice: understandable, and robotic.

The library is the one inside Piper's extension module, so nothing else is installed. Nobody promises its symbols:
they are checked when it is opened.
"""

import ctypes
import re
import threading
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from anyascii import anyascii

from activities.synthesize import Sound
from activities.text.languages import language_code
from workers.engines.respelling import readable, respell

ESPEAK_LOCK = threading.Lock()
"""Held by whoever is in the library, Piper included: its voice, its settings and its callback are global."""
VOICES = {
    "zh": "cmn",
    "no": "nb",
    "en": "en-us",
    "nn": "nb",  # the other written Norwegian
    "oc": "ca",  # the nearest relative
    "gl": "es",  # spelled like Spanish, and its sounds are closer to it than to Portuguese
    "br": "cy",  # both Brythonic; final consonants are said, as they are not in French
    "fo": "is",  # the nearest relative; espeak-ng's own voice lacks its dictionary in Piper's copy
    "tl": "id",  # related, and both spelled as they are said
    "jw": "id",
    "jv": "id",
    "su": "id",
    "mg": "id",
    "ha": "sw",  # not related, but spelled with the same plain vowels and consonants
    "yo": "sw",
    "ln": "sw",  # Bantu, as Swahili is
    "sn": "sw",
    "so": "om",  # both Cushitic
    "sa": "hi",  # the same script and most of the sounds
    "lo": "th",  # in Thai letters, see respelling
    "ps": "ur",  # in Urdu's letters; espeak-ng's own voice lacks its dictionary in Piper's copy
    "tg": "kk",  # in Kazakh's letters
    "yi": "de",  # in Latin letters
    "mi": "haw",  # a near relative; espeak-ng's own Māori voice clips
    "bo": "id",  # in Latin letters, as espeak-ng reads neither script
    "km": "id",
}
"""espeak-ng's voice by language (ISO 639-1), where it is named otherwise or a related one has to do."""
LAST_RESORT = "en-us"
_CODE = re.compile("[a-z]{2,3}")
WORDS_PER_MINUTE = 150
"""What Whisper understood best in English, German and Spanish; espeak-ng's own default is 175."""
MAX_SECONDS = 120
"""Of one text: five hundred digits are said in less."""

_SYNCHRONOUS = 2
"""``espeak_AUDIO_OUTPUT``: the callback is called by ``espeak_Synth``, as Piper has it too."""
_DONT_EXIT = 0x8000
"""``espeakINITIALIZE_DONT_EXIT``"""
_UTF8 = 1
"""``espeakCHARS_UTF8``, and neither ``espeakSSML`` nor ``espeakPHONEMES``: marks in the text are text."""
_BY_CHARACTER = 1
"""``POS_CHARACTER``"""
_RATE = 1
"""``espeakRATE``"""
_SYMBOLS = ("espeak_Initialize", "espeak_SetSynthCallback", "espeak_SetVoiceByName", "espeak_SetParameter")

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

_SYNTH_ARGUMENTS = (
    *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
    *(ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
)
"""Text, its size in bytes, position and its kind, end, flags, identifier, the caller's data."""


class EspeakUnavailableError(Exception):
    """Piper's copy of espeak-ng cannot be used; the text says why."""


@cache
def open_library() -> tuple[ctypes.CDLL, int]:
    """Open Piper's copy of espeak-ng, once; return it and its sample rate in hertz.

    Raises:
        EspeakUnavailableError: it is not there, or other than it was.

    """
    spec = find_spec("piper")
    folders = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    paths = [
        path for folder in folders for suffix in EXTENSION_SUFFIXES for path in folder.glob(f"espeakbridge{suffix}")
    ]
    if not paths:
        raise EspeakUnavailableError("piper-tts carries no espeakbridge")
    try:
        library = ctypes.CDLL(str(paths[0]))
    except OSError as error:
        raise EspeakUnavailableError(f"{paths[0]} cannot be opened: {error}") from error
    if missing := [name for name in (*_SYMBOLS, "espeak_Synth") if not hasattr(library, name)]:
        raise EspeakUnavailableError(f"{paths[0]} does not export {', '.join(missing)}")
    library.espeak_Synth.argtypes = _SYNTH_ARGUMENTS
    data = str(paths[0].with_name("espeak-ng-data")).encode()
    with ESPEAK_LOCK:
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT)
    if rate <= 0:
        raise EspeakUnavailableError(f"espeak-ng did not start with the data in {data.decode()}")
    return library, rate


class EspeakSynthesizer:
    """Synthesizes sentences of any language. Threads may share it."""

    def __init__(self) -> None:
        """Open the library.

        Raises:
            EspeakUnavailableError: it is not there, or other than it was.

        """
        self._library, self._rate = open_library()

    def synthesize(self, text: str, language: str) -> Sound:
        """Synthesize ``text`` by the language's voice or that of a related one; letters that it lacks are romanized.

        Args:
            text: at most some hundred characters.
            language: ISO 639-1 code.

        """
        code = language_code(language)
        plain = readable(text, code)
        named = code if _CODE.fullmatch(code) else LAST_RESORT  # espeak-ng would take a path
        samples = self._say(respell(plain, code), VOICES.get(code, named))
        if not samples.size and any(character.isalnum() for character in plain):
            samples = self._say(anyascii(plain), LAST_RESORT)
        return Sound(samples, self._rate)

    def _say(self, text: str, voice: str) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        blocks: list[bytes] = []
        left = MAX_SECONDS * self._rate

        def keep(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
            nonlocal left
            if samples and count > 0:
                blocks.append(ctypes.string_at(samples, 2 * count))
                left -= count
            return int(left <= 0)  # 1 ends it

        callback = _Callback(keep)
        encoded = text.encode(errors="ignore") + b"\0"
        with ESPEAK_LOCK:
            if self._library.espeak_SetVoiceByName(voice.encode()):
                self._library.espeak_SetVoiceByName(LAST_RESORT.encode())
                encoded = anyascii(text).encode() + b"\0"
            # Set each time: Piper starts the library anew when it loads its first voice.
            self._library.espeak_SetParameter(_RATE, WORDS_PER_MINUTE, 0)
            self._library.espeak_SetSynthCallback(callback)
            self._library.espeak_Synth(encoded, len(encoded), 0, _BY_CHARACTER, 0, _UTF8, None, None)
            self._library.espeak_SetSynthCallback(None)
        return np.frombuffer(b"".join(blocks), np.int16)
