"""Accompany a turn: show on the platform that june is at it, and the text as the model writes it."""

import asyncio
from datetime import timedelta

from temporalio import activity
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.heartbeats import heartbeat_now, heartbeats
from activities.platforms.platform import ShowsProgress
from activities.values import Address, Value

LOOK_SECONDS = 0.5
"""Between looks at the turn. Each is a query, which leaves nothing in its history."""
QUERY_TIMEOUT = timedelta(seconds=5)


class ShowProgressRequest(Value):
    """Which turn to accompany: the calling workflow's."""

    to: Address
    speaks: bool
    """A voice note is being made, rather than a text."""
    captioned: bool = False
    """Its text is to be its caption, so that no message with the text so far can become the answer."""


class ShownTurn(Value):
    """What is looked at of the turn: part of what the workflow's query ``progress`` answers."""

    replying: bool = False
    sentences: tuple[str, ...] = ()


class ShowProgressActivity:
    """The activity ``accompany`` of one platform."""

    def __init__(self, platform: ShowsProgress) -> None:
        """Take the platform."""
        self._platform = platform

    @activity.defn(name="accompany")
    async def show_progress(self, request: ShowProgressRequest) -> None:
        """Show the turn until its reply is under way."""
        earlier = activity.info().heartbeat_details
        told = shown = str(earlier[0]) if earlier and earlier[0] else None
        glimpse = ShownTurn()
        async with (
            self._platform.presence(
                request.to, speaks=request.speaks, captioned=request.captioned, shown=shown
            ) as presence,
            heartbeats(lambda: [presence.shown]),
        ):
            while not (glimpse := await _look() or glimpse).replying:
                if glimpse.sentences:
                    await presence.show(" ".join(glimpse.sentences))
                if presence.shown != told:
                    told = presence.shown
                    await heartbeat_now(told)
                await asyncio.sleep(LOOK_SECONDS)


async def _look() -> ShownTurn | None:
    """Look at the calling workflow; None while nobody can answer for it."""
    info = activity.info()
    turn = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    try:
        glimpse: ShownTurn = await turn.query("progress", result_type=ShownTurn, rpc_timeout=QUERY_TIMEOUT)
    except (RPCError, WorkflowQueryFailedError) as error:
        activity.logger.debug("the turn cannot be looked at: %s", error)
        return None
    return glimpse
