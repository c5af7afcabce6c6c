"""Times of a turn are read from its history."""

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from workers.bench.caller import _reply_times


class Handle:
    """A handle of a workflow with this history."""

    def __init__(self, *events: HistoryEvent) -> None:
        for number, event in enumerate(events, 1):
            event.event_id = number
            event.event_time.FromMilliseconds(1000 * number)
        self._events = list(events)

    async def fetch_history(self) -> WorkflowHistory:
        return WorkflowHistory("voice/file/a/1", self._events)


def activity(name: str, first: int) -> tuple[HistoryEvent, HistoryEvent, HistoryEvent]:
    """Build the events of an activity that is scheduled by the event of this number."""
    scheduled, started, completed = HistoryEvent(), HistoryEvent(), HistoryEvent()
    scheduled.event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    scheduled.activity_task_scheduled_event_attributes.activity_type.name = name
    started.event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    started.activity_task_started_event_attributes.scheduled_event_id = first
    completed.event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
    completed.activity_task_completed_event_attributes.scheduled_event_id = first
    return scheduled, started, completed


async def test_only_the_reply_counts() -> None:
    handle = Handle(*activity("infer", 1), *activity("reply", 4), *activity("accompany", 7))
    assert await _reply_times(handle) == (5.0, 6.0)  # type: ignore[arg-type]
