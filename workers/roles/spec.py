"""What a worker serves, once everything it needs is loaded and warm."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WorkerSpec:
    """What the worker of a role serves."""

    slots: int
    """Activities at once."""
    activities: Sequence[Callable[..., Any]]
    workflows: Sequence[type] = ()
    background: Callable[[], Awaitable[object]] | None = None
    """Runs beside the worker, to its own end or the worker's; what it raises ends the worker."""
