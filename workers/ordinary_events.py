"""What Temporal's SDK logs as a warning, with a traceback, and is ordinary: said in one line, or left to DEBUG.

Cancelled work, activities whose workflow has ended, refused input and shutdown are no faults; a fault that june did not
expect keeps its level and its traceback.
"""

import asyncio
import logging
import warnings

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.errors import REFUSALS

ACTIVITY_LOGGER = "temporalio.activity"
CORE_LOGGER = "temporalio.core"
ATTEMPT_FAILED = "Completing activity as failed"
GONE = (
    "Activity not found on completion",
    "Activity not found when recording heartbeat",
    "Task not found when completing",
    "Query not found when attempting to respond to it",
)
"""The SDK's core has done what the server no longer waits for: a workflow ended, was cancelled, or timed out."""
LATE_CANCELLATION = "Cannot find activity to cancel for token"
"""A Python warning: an activity ended just before its cancellation came."""


def ignore_late_cancellations() -> None:
    """Leave out the SDK's Python warning of activities that ended before their cancellation came."""
    warnings.filterwarnings("ignore", message=LATE_CANCELLATION)


class OrdinaryEvents(logging.Filter):
    """Rewords the SDK's records of what is ordinary; at DEBUG all are left as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Reword a record; leave out one that is only for DEBUG."""
        enabled = logging.getLogger().getEffectiveLevel()
        if enabled <= logging.DEBUG:
            return True
        if record.name.startswith(CORE_LOGGER) and any(event in record.getMessage() for event in GONE):
            record.levelno = logging.DEBUG
        elif record.name == ACTIVITY_LOGGER and str(record.msg).startswith(ATTEMPT_FAILED):
            _reword(record)
        return record.levelno >= enabled


def _reword(record: logging.LogRecord) -> None:
    """Say in one line how an attempt ended that nobody waits for, or that june itself ended."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, asyncio.CancelledError):
        details = activity.cancellation_details() if activity.in_activity() else None
        timed_out = details is not None and details.timed_out
        _say(record, logging.WARNING if timed_out else logging.DEBUG, "the attempt's time was over", ())
    elif isinstance(error, ApplicationError):
        refused = error.type in {code.value for code in REFUSALS}
        _say(record, logging.INFO if refused else logging.WARNING, "%s: %s", (error.type, error.message))


def _say(record: logging.LogRecord, level: int, message: str, figures: tuple[object, ...]) -> None:
    record.levelno, record.levelname = level, logging.getLevelName(level)
    record.msg, record.args = f"attempt failed, {message}", figures
    record.exc_info = record.exc_text = None
