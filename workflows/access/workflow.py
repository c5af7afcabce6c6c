"""Permissions and limits of the people on a platform: kept for ever, and readable while no worker runs."""

from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows.access.arrivals import CLOCK_SET_BACK, Arrivals
    from workflows.access.bounds import carried, fitting, is_too_large
    from workflows.access.contracts import (
        MINUTE_SECONDS,
        AccessChange,
        AccessState,
        AccessView,
        Arrival,
        Heard,
        Hold,
        Usage,
    )
    from workflows.names import ACCESS, ACCESS_MEMO, PLATFORM


@workflow.defn(name=ACCESS)
class Access:
    """Keeps what owners set for people and groups, and counts what people use.

    Bots read its memo with every message (a plain describe, which the server answers by itself), so that a message
    is accepted or refused without waiting for a worker. Counts lag by a moment: of messages that one person sends to
    several chats at the very same time, one or two more than the limit may be accepted.
    """

    @workflow.init
    def __init__(self, state: AccessState) -> None:
        """Restore the state of the previous run; handlers may run before ``run`` does."""
        self._state = state
        self._events = 0

    @workflow.run
    async def run(self, state: AccessState) -> None:
        """Handle signals and updates until it is time to continue as new."""
        workflow.upsert_search_attributes([PLATFORM.value_set(state.platform)])
        self._show(self._state.view)
        await workflow.wait_condition(
            lambda: (
                (self._events >= self._state.events_per_run or workflow.info().is_continue_as_new_suggested())
                and workflow.all_handlers_finished()
            )
        )
        workflow.continue_as_new(carried(self._state, workflow.time()))

    @workflow.signal
    def arrived(self, arrival: Arrival) -> None:
        """Count a message."""
        self._state = self._state.model_copy(update={"limits": arrival.limits})
        usage = self._usage(arrival.user)
        now, arrivals = workflow.time(), Arrivals(usage.arrivals)
        arrivals.leave_out_later(now, if_so=lambda: workflow.patched(CLOCK_SET_BACK))
        recent = (*arrivals.times, now)[-self._state.limits.messages_per_minute :]
        counted = {"messages": usage.messages + 1, "arrivals": recent, "name": arrival.name or usage.name}
        self._count(arrival.user, usage.model_copy(update=counted))

    @workflow.signal
    def heard(self, heard: Heard) -> None:
        """Count seconds of speech."""
        usage = self._usage(heard.user)
        self._count(heard.user, usage.model_copy(update={"voice_seconds": usage.voice_seconds + heard.seconds}))

    @workflow.update
    def change(self, change: AccessChange) -> AccessView:
        """Apply what an owner sets, and return the permissions.

        Raises:
            ApplicationError: there are more of them than can be kept.

        """
        self._events += 1
        view = self._state.view
        standings, names = dict(view.standings), dict(view.names)
        if change.id and change.standing:
            standings[change.id] = change.standing
            names |= {change.id: change.name} if change.name else {}
        elif change.id:
            standings.pop(change.id, None)
            names.pop(change.id, None)
        draining = view.draining if change.draining is None else change.draining
        changed = fitting(view.model_copy(update={"standings": standings, "names": names, "draining": draining}))
        if len(standings) > len(view.standings) and is_too_large(changed):
            raise ApplicationError("more people and groups than can be kept", type="too-many-people")
        self._show(changed)
        return self._state.view

    @workflow.query
    def usage(self) -> dict[str, Usage]:
        """Return what people have used today, by user."""
        return {user: usage for user, usage in self._state.usage.items() if usage.day == _today()}

    def _usage(self, user: str) -> Usage:
        """Count the event, and return what the person has used today."""
        self._events += 1
        known = self._state.usage.get(user, Usage(day=_today()))
        return known if known.day == _today() else Usage(day=_today(), arrivals=known.arrivals, name=known.name)

    def _count(self, user: str, usage: Usage) -> None:
        """Store what a person has used, and hold the person if a limit is reached; days before today are dropped."""
        now, limits = workflow.time(), self._state.limits
        kept = {name: known for name, known in self._state.usage.items() if known.day == _today()}
        self._state = self._state.model_copy(update={"usage": kept | {user: usage}})
        known = self._state.view.holds
        holds = {name: hold for name, hold in known.items() if max(hold.messages_until, hold.voice_until) > now}
        holds.pop(user, None)  # perhaps of limits that were lower
        recent = [at for at in usage.arrivals if now - at < MINUTE_SECONDS]
        too_many = len(recent) >= limits.messages_per_minute
        too_long = usage.voice_seconds >= limits.voice_seconds_per_day
        if too_many or too_long:
            midnight = datetime.fromisoformat(_today()).replace(tzinfo=UTC) + timedelta(days=1)
            holds[user] = Hold(
                messages_until=recent[0] + MINUTE_SECONDS if too_many else 0,
                voice_until=midnight.timestamp() if too_long else 0,
            )
        if holds != known:
            self._show(fitting(self._state.view.model_copy(update={"holds": holds})))

    def _show(self, view: AccessView) -> None:
        """Store the permissions and holds, and publish them as memo and as the Web UI's details."""
        self._state = self._state.model_copy(update={"view": view})
        workflow.upsert_memo({ACCESS_MEMO: view.model_dump(mode="json")})
        blocked = sum(standing in {"denied", "blocked"} for standing in view.standings.values())
        workflow.set_current_details(
            f"{'**draining**, ' if view.draining else ''}{len(view.standings) - blocked} allowed, {blocked} denied or "
            f"blocked by owners, {len(view.holds)} at a limit, {len(self._state.usage)} people today"
        )


def _today() -> str:
    return workflow.now().date().isoformat()
