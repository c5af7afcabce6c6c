"""Make ``static/silero.bin``: ``python -m bots.web.silero_weights MODEL.onnx``, with the file of faster-whisper.

The model is Silero VAD v6 (MIT licence, Copyright (c) 2020-present Silero Team, https://github.com/snakers4/silero-vad).
What its convolutions see of a single frame is less than they could: taps that only ever meet padding are left out, and
the spectrum's weights are a Hann-windowed Fourier transform, which the page calculates.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.empty_pb2 import Empty
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import NDArray

WEIGHTS = Path(__file__).resolve().parent / "static" / "silero.bin"
GRAPH, INITIALIZER = 7, 5
"""Fields of onnx.proto's ModelProto and GraphProto."""
DIMS, NAME, RAW_DATA = 1, 8, 9
"""Fields of its TensorProto."""


def main() -> None:
    """Write the weights of the model that is named on the command line."""
    WEIGHTS.write_bytes(packed(Path(sys.argv[1]).read_bytes()))


def packed(model: bytes) -> bytes:
    """Pick the weights out of an ONNX file: little-endian float16, in the order that ``silero.js`` reads."""
    tensors = dict(_tensors(model))
    encoder = "encoder.conv_layers."
    input_bias, hidden_bias = np.split(tensors["onnx::LSTM_211"][0], 2)
    parts = (
        *(tensors[f"{encoder}{layer}.{kind}"] for layer in (0, 1) for kind in ("weight", "bias")),
        tensors[f"{encoder}2.weight"][:, :, 1:],
        tensors[f"{encoder}2.bias"],
        tensors[f"{encoder}3.weight"][:, :, 1],
        tensors[f"{encoder}3.bias"],
        tensors["onnx::LSTM_209"],
        tensors["onnx::LSTM_210"],
        input_bias + hidden_bias,
        tensors["decoder.conv1d.weight"],
        tensors["decoder.conv1d.bias"],
    )
    return b"".join(part.astype("<f2").tobytes() for part in parts)


def _tensors(model: bytes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """List the tensors of single-precision numbers, by name."""
    (graph,) = (value for number, value in _fields(model) if number == GRAPH)
    for number, tensor in _fields(graph):
        fields = _fields(tensor) if number == INITIALIZER else []
        named = dict(fields)
        shape = [size for number, size in fields if number == DIMS]
        if named and 4 * np.prod(shape, dtype=int) == len(named[RAW_DATA]):
            yield named[NAME].decode(), np.frombuffer(named[RAW_DATA], "<f4").reshape(shape)


def _fields(message: bytes) -> list[tuple[int, Any]]:
    """List a message's fields, by number, without its schema."""
    fields = UnknownFieldSet(Empty.FromString(message))
    return [(field.field_number, field.data) for field in map(fields.__getitem__, range(len(fields)))]


if __name__ == "__main__":
    main()
