"""The weights that the page loads are those of the model that faster-whisper ships."""

from pathlib import Path

import faster_whisper
import numpy as np

from bots.web.silero_weights import WEIGHTS, packed

MODEL = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"


def test_the_weights_are_made_of_the_model() -> None:
    assert WEIGHTS.read_bytes() == packed(MODEL.read_bytes())


def test_no_weight_is_too_large_for_half_precision() -> None:
    weights = np.frombuffer(WEIGHTS.read_bytes(), "<f2")
    assert len(weights) == 222_593
    assert np.isfinite(weights).all()
    assert np.abs(weights).max() > 1
