"""Engines that do nothing, at once: what is left is june's and Temporal's own time (``JUNE_ENGINES=none``)."""

import json
import threading
from collections.abc import AsyncGenerator, Sequence

import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from activities.infer import Inference, InferRequest
from activities.language_model import Delta, ModelRequest
from activities.synthesize import Sound
from activities.transcribe import Recognition

ANSWER = "This is an answer."


class NoopRecognizer:
    """Returns the same text for every recording."""

    def recognize(
        self,
        samples: NDArray[np.float32],  # noqa: ARG002 - the engine's interface
        language: str | None,  # noqa: ARG002
        stop: threading.Event,  # noqa: ARG002
        likely: Sequence[str] = (),  # noqa: ARG002
    ) -> Recognition:
        return Recognition("This is a question.", "en", 1.0)


class NoopSynthesizer:
    """Returns a tenth of a second of silence."""

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:  # noqa: ARG002 - the engine's interface
        return Sound(np.zeros(2205, dtype=np.int16), 22_050)


class NoopInfer:
    """Returns the same answer to every prompt."""

    @activity.defn(name="infer")
    async def infer(self, _request: InferRequest) -> Inference:
        return Inference(answer=ANSWER, sentences=(ANSWER,), model="none", finish_reason="stop")


class NoopModel:
    """Ends every task at its first step."""

    async def stream(self, _request: ModelRequest) -> AsyncGenerator[Delta, None]:
        action = {"thought": "", "action": {"tool": "finish", "summary": ANSWER}}
        yield Delta(json.dumps(action), finish_reason="stop", model="none")
