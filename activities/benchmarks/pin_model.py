"""Pin the model: what is asked, by which server, and how tokens are drawn."""

from typing import Protocol

from temporalio import activity

from activities.benchmarks.machine import machine
from activities.heartbeats import heartbeats
from activities.language_model import Sampling
from activities.values import Value


class ServedModel(Value):
    """A model as its server tells it."""

    name: str
    """By which the server knows it."""
    sha256: str = ""
    """Of its file, where june serves it by itself."""
    server: str = ""
    """Its name and version, as far as it tells."""


class FindModel(Protocol):
    """Asks the model's server."""

    async def __call__(self, name: str | None) -> ServedModel:
        """Return the model of this name; None is the worker's own.

        Raises:
            BadInputError: ``model-refused``, it has none of this name.
            ApplicationError: ``model-unavailable``, to be retried.

        """
        ...


class PinModelRequest(Value):
    """Which model is meant."""

    model: str | None = None
    """None is the worker's."""
    waits_for_live: bool = True


class PinnedModel(Value):
    """A model, and how it is asked."""

    model: str
    sha256: str = ""
    server: str = ""
    top_p: float | None = None
    top_k: int | None = None
    thinking_tokens: int = 0
    machine: str
    """Of the worker that asks it; that of the model, where june serves it by itself."""


class PinModelActivity:
    """The activity ``pin_model``."""

    def __init__(self, find: FindModel, sampling: Sampling, thinking_tokens: int) -> None:
        """Ask for models by ``find``; the rest is the worker's settings."""
        self._find = find
        self._sampling = sampling
        self._thinking_tokens = thinking_tokens

    @activity.defn
    async def pin_model(self, request: PinModelRequest) -> PinnedModel:
        """Return what decides the model's answers.

        Raises:
            BadInputError: ``model-refused``.
            ApplicationError: ``model-unavailable``, to be retried.

        """
        async with heartbeats():
            found = await self._find(request.model)
        return PinnedModel(
            model=found.name,
            sha256=found.sha256,
            server=found.server,
            top_p=self._sampling.top_p,
            top_k=self._sampling.top_k,
            thinking_tokens=self._thinking_tokens,
            machine=machine(),
        )
