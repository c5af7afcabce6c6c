"""What a worker serves, once everything it needs is loaded and warm."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.worker import Interceptor

Background = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class WorkerSpec:
    """What the worker of a role serves."""

    slots: int
    """Activities at once."""
    activities: Sequence[Callable[..., Any]]
    workflows: Sequence[type] = ()
    interceptors: Sequence[Interceptor] = ()
    background: Background | None = None
    """Task beside the worker, to its own end or the worker's; what it raises ends the worker."""
