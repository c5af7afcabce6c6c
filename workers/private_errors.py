"""What logs and traces tell of errors: their classes and codes, and of their texts only june's own.

The text of an error may quote what people said: a model server's that repeats the prompt, a validation's that shows
its input. It is in the workflow's history, encrypted; a log and a collector of traces get it only at level DEBUG.
"""

import errno
import logging
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from temporalio.exceptions import ApplicationError, FailureError
from temporalio.service import RPCError

from workers.errors import JuneError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

FIGURES = ("status", "status_code", "code")
"""Attributes by which client libraries number what went wrong."""
KNOWN = frozenset({"__main__", "activities", "agent", "bots", "temporalio", "tests", "workers", "workflows"})
"""Packages whose records name ids and figures, and no words: june's own, and Temporal's."""
CHAIN = 5
"""Causes that are told of one error."""


def named(error: BaseException) -> str:
    """Return what may be told of an error and of its causes, in one line, without the text of any but june's own."""
    told: list[str] = []
    chain: BaseException | None = error
    while chain is not None and len(told) < CHAIN:
        told.append(_named(chain))
        chain = chain.__cause__
    return " <- ".join(told)


def _named(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, JuneError):
        return str(error)
    if isinstance(error, RPCError):  # the server quotes ids, and no payload
        return f"{kind} {error.status.name}: {error.message}"
    if isinstance(error, ApplicationError) and error.type:
        return error.type if error.type == kind else f"{kind} {error.type}"
    if isinstance(error, FailureError):
        return kind
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return f"{kind} {errno.errorcode[error.errno]}"
    figures = [str(value) for name in FIGURES if isinstance(value := getattr(error, name, None), int)]
    return " ".join([kind, *dict.fromkeys(figures)])


def trace_of(error: BaseException) -> str:
    """Return a traceback as the log has it: all places in the code, and of each error what may be told."""
    lines: list[str] = []
    chain: BaseException | None = error
    for _ in range(CHAIN):
        if chain is None:
            break
        places = traceback.format_tb(chain.__traceback__)
        lines = [*(["Traceback (most recent call last):\n"] if places else []), *places, _named(chain) + "\n", *lines]
        after = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
        if after is not None:
            lines = ["\nwhich led to:\n\n", *lines]
        chain = after
    return "".join(lines).rstrip()


def _told(value: object) -> object:
    """Return what may be logged of an argument: of an error what it is, everything else as june wrote it."""
    return named(value) if isinstance(value, BaseException) else value


def _told_by_a_library(value: object) -> object:
    """Return what may be logged of a library's argument: numbers, and what kind of thing the others are."""
    if value is None or isinstance(value, int | float):
        return value
    return named(value) if isinstance(value, BaseException) else f"<{type(value).__name__}>"


class PrivateErrors(logging.Filter):
    """Takes people's words out of records; at DEBUG all is left as it is.

    Of errors, be they arguments or tracebacks, it takes the texts; of what a library logs, all arguments but numbers:
    python-telegram-bot, for one, logs whole messages that it cannot read.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record; let every record pass."""
        if logging.getLogger().getEffectiveLevel() <= logging.DEBUG:
            return True
        if isinstance(record.msg, BaseException):
            record.msg = named(record.msg)
        tell = _told if record.name.partition(".")[0] in KNOWN else _told_by_a_library
        if isinstance(record.args, Mapping):
            record.args = {name: tell(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(map(tell, record.args))
        if record.exc_info and record.exc_info[1]:
            if record.name == "asyncio":  # its message shows the task, and with that the error
                record.msg, record.args = record.getMessage().partition("\n")[0], ()
            record.exc_text = trace_of(record.exc_info[1])
            record.exc_info = None
        return True


def private_exporter(exporter: "SpanExporter") -> "SpanExporter":
    """Return an exporter that leaves the texts of errors out of spans."""
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Status

    def without_texts(span: ReadableSpan) -> ReadableSpan:
        events = [
            Event(
                event.name,
                {key: value for key, value in (event.attributes or {}).items() if key not in TEXTS},
                event.timestamp,
            )
            for event in span.events
        ]
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=span.attributes,
            events=events,
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    class Private(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return exporter.export([without_texts(span) for span in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Private()


TEXTS = ("exception.message", "exception.stacktrace")
"""Attributes of a span's event that hold an error's text."""
