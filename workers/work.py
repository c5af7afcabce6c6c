"""What a worker does, once its builder has made everything ready."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """What a worker of one kind does, engines loaded and warm."""

    slots: int
    """Activities at once."""
    activities: Sequence[Callable[..., Any]]
    workflows: Sequence[type] = ()
    chore: Callable[[], Awaitable[object]] | None = None
    """Runs beside the worker, to its own end or the worker's; what it raises ends the worker."""
