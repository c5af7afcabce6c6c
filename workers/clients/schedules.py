"""Schedules of runs of the integration tests, kept by Temporal."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError, RPCStatusCode

from workers.clients.testruns import summary_of
from workers.errors import JuneError
from workflows.names import TEST_RUN, TEST_RUN_ID_PREFIX, WORKFLOW_QUEUE
from workflows.testruns.contracts import RunRequest

CATCH_UP = timedelta(minutes=10)
"""A run that was due while the server was down is started if it is at most this late."""


class ListedSchedule(BaseModel):
    """A schedule as the server lists it."""

    id: str
    paused: bool
    note: str
    next_at: datetime | None
    runs: list[str]
    """Workflow ids of its last runs."""


async def create_schedule(
    client: Client, name: str, request: RunRequest, *, cron: str, every: timedelta | None, time_zone: str
) -> None:
    """Create a schedule; a run that is due while the last one still runs is skipped.

    Raises:
        JuneError: there is a schedule of this name, or the server does not understand when.

    """
    spec = ScheduleSpec(
        cron_expressions=[cron] * bool(cron),
        intervals=[ScheduleIntervalSpec(every=every)] if every else [],
        time_zone_name=time_zone,
    )
    action = ScheduleActionStartWorkflow(
        TEST_RUN,
        request,
        id=f"{TEST_RUN_ID_PREFIX}{name}",
        task_queue=WORKFLOW_QUEUE,
        static_summary=summary_of(request),
    )
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP)
    try:
        await client.create_schedule(schedule_id(name), Schedule(action=action, spec=spec, policy=policy))
    except ScheduleAlreadyRunningError:
        raise JuneError(f"There is a schedule {name} already: june tests schedule delete {name}") from None
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise JuneError(f"The server does not take this schedule: {error.message}.") from None


async def pause_schedule(client: Client, name: str, *, resume: bool) -> None:
    """Pause a schedule, or resume it.

    Raises:
        JuneError: there is no such schedule.

    """
    handle = await _known(client, name)
    await (handle.unpause(note="resumed by june") if resume else handle.pause(note="paused by june"))


async def delete_schedule(client: Client, name: str) -> None:
    """Delete a schedule; runs that it started stay.

    Raises:
        JuneError: there is no such schedule.

    """
    await (await _known(client, name)).delete()


async def describe_schedule(client: Client, name: str) -> ListedSchedule:
    """Return one schedule.

    Raises:
        JuneError: there is no such schedule.

    """
    described = await (await _known(client, name)).describe()
    return ListedSchedule(
        id=name,
        paused=described.schedule.state.paused,
        note=described.schedule.state.note or "",
        next_at=next(iter(described.info.next_action_times), None),
        runs=_started(described.info.recent_actions),
    )


async def list_schedules(client: Client) -> AsyncIterator[ListedSchedule]:
    """Yield the schedules of runs."""
    async for listed in await client.list_schedules():
        if not listed.id.startswith(TEST_RUN_ID_PREFIX) or listed.schedule is None or listed.info is None:
            continue
        yield ListedSchedule(
            id=listed.id.removeprefix(TEST_RUN_ID_PREFIX),
            paused=listed.schedule.state.paused,
            note=listed.schedule.state.note or "",
            next_at=next(iter(listed.info.next_action_times), None),
            runs=_started(listed.info.recent_actions),
        )


def _started(actions: Sequence[ScheduleActionResult]) -> list[str]:
    starts = (action.action for action in actions)
    return [start.workflow_id for start in starts if isinstance(start, ScheduleActionExecutionStartWorkflow)]


def schedule_id(name: str) -> str:
    """Return the id of a schedule by its name."""
    return f"{TEST_RUN_ID_PREFIX}{name}"


async def _known(client: Client, name: str) -> ScheduleHandle:
    handle = client.get_schedule_handle(schedule_id(name))
    try:
        await handle.describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise JuneError(f"There is no schedule {name}: june tests schedule list") from None
    return handle
