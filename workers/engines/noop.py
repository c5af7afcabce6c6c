"""Engines that do nothing, at once: what is left is june's and Temporal's own time (``JUNE_ENGINES=none``)."""

import threading

import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from activities.infer import Inference, InferRequest
from activities.synthesize import Sound
from activities.transcribe import Recognition

ANSWER = "This is an answer."


class NoopRecognizer:
    """Hears the same in every sound."""

    def recognize(self, samples: NDArray[np.float32], language: str | None, stop: threading.Event) -> Recognition:  # noqa: ARG002 - the engine's interface
        """Hear nothing in particular."""
        return Recognition("This is a question.", "en", 1.0)


class NoopSynthesizer:
    """Says a tenth of a second of silence."""

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:  # noqa: ARG002 - the engine's interface
        """Say nothing."""
        return Sound(np.zeros(2205, dtype=np.int16), 22_050)


class NoopInfer:
    """Answers the same to every prompt."""

    @activity.defn(name="infer")
    async def infer(self, _request: InferRequest) -> Inference:
        """Answer in one sentence."""
        return Inference(answer=ANSWER, sentences=(ANSWER,), model="none", finish_reason="stop")
