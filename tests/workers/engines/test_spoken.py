"""What people write is heard as they mean it: Whisper's opinion of Piper's speech."""

import re
import threading

import pytest

from activities.text.speakable import speakable
from activities.text.spoken import spoken
from tests.workers.engines.test_piper import at_16_khz
from workers.engines.piper import PiperSynthesizer
from workers.engines.whisper import WhisperRecognizer

TRIES = 5
"""Piper draws its noise anew each time, and Whisper now and then mishears a word."""

pytestmark = pytest.mark.engines


@pytest.mark.parametrize(
    ("markdown", "heard"),
    [
        ("The result of 2*3*4 is 24.", "2 times 3 times 4 is 24"),
        ("The area is a*b*c in all.", "times b times"),
        ("Check that x <y and z> w here.", "x (is )?less than y and z (is )?greater than w"),
        ("The ticket costs $49.95 today.", r"\$49\.95"),
        ("He paid 20 € for the book.", "(20 euros|€20)"),
        ("A coffee costs €20 there.", "(20 euros|€20)"),
        ("The train leaves at 8:00 in the morning.", "(8 o'clock|8:00)"),
        ("The deadline is 2024-05-03 for everyone.", "(may (3rd|3|third),? 2024|3rd of may,? 2024)"),
        ("Please call 555-123-4567 right now.", "555-123-4567"),
        ("Water boils at 100 °C at sea level.", "100 ?(degrees celsius|°c)"),
        ("The car drives at 65 mph on the road.", "65 (miles per hour|mph)"),
        ("Open the file main.py and read it.", "main (dot )?p ?y|main.py"),
        ("The firm raised $5M in 2021.", r"(\$5 million|5 million dollars) in 2021"),
        ("Users must be ≥ 18 years old.", "greater than or equal to (18|eighteen)"),
        ("He is 5'11\" tall and weighs 80 kg.", "5 (feet|foot),? 11 inches tall and weighs 80 ?(kg|kilograms)"),
    ],
)
def test_english_is_heard_as_it_is_meant(
    synthesizer: PiperSynthesizer, recognizer: WhisperRecognizer, markdown: str, heard: str
) -> None:
    words = spoken(speakable(markdown), "en")
    texts: list[str] = []
    while len(texts) < TRIES and not (texts and re.search(heard, texts[-1].casefold())):
        sound = synthesizer.synthesize(words, "en", None)
        texts.append(recognizer.recognize(at_16_khz(sound), "en", threading.Event()).text)
    assert re.search(heard, texts[-1].casefold()), texts
