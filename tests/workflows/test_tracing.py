"""A message's trace goes on in its own turn, and in nothing else."""

from opentelemetry import trace

from workflows.tracing import trace_of

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
CARRIER = {"traceparent": f"00-{TRACE:032x}-00f067aa0ba902b7-01"}


def current() -> int:
    return trace.get_current_span().get_span_context().trace_id


def test_the_messages_trace_holds_within_the_block() -> None:
    before = current()
    with trace_of(CARRIER):
        assert current() == TRACE
    assert current() == before


def test_a_message_without_a_trace_changes_nothing() -> None:
    before = current()
    with trace_of({}):
        assert current() == before
