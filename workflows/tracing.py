"""One trace a message, although one long-lived conversation starts them all."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opentelemetry import context
    from opentelemetry.propagate import extract


@contextmanager
def trace_of(carrier: dict[str, str]) -> Iterator[None]:
    """Continue the trace that the message came with (W3C ``traceparent``); without one, nothing changes.

    Children started from an entity's loop would otherwise all land in the first message's trace.
    """
    if not carrier:
        yield
        return
    token = context.attach(extract(carrier))
    try:
        yield
    finally:
        context.detach(token)
