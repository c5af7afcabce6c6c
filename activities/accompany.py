"""Accompany a turn: show on the platform that june is at it, and the text as the model writes it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from temporalio import activity
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.heartbeats import heartbeats, tell_at_once
from activities.references import Address, Value

LOOK_SECONDS = 0.5
"""Between looks at the turn. Each is a query, which leaves nothing in its history."""
LOOK_PATIENCE = timedelta(seconds=5)


class AccompanyRequest(Value):
    """Which turn to accompany: the calling workflow's."""

    to: Address
    speaks: bool
    """A voice note is being made, rather than a text."""
    captioned: bool = False
    """Its text is to be its caption, so that no message with the text so far can become the answer."""


class Glimpse(Value):
    """What is looked at of the turn: part of what the workflow's query ``progress`` answers."""

    replying: bool = False
    sentences: tuple[str, ...] = ()


class Presence(Protocol):
    """What a platform shows of a turn under way; entered when it begins, left when the reply takes over."""

    @property
    def shown(self) -> str | None:
        """The platform's id of the message that shows the text, if there is one."""

    async def show(self, text: str) -> None:
        """Show the text so far; called with the same text again and again, and as often as june looks.

        Pacing is the platform's affair. What cannot be shown is left out: the reply will hold it all.
        """


class Accompanying(Protocol):
    """A platform that can show a turn under way."""

    def presence(
        self, to: Address, *, speaks: bool, captioned: bool, shown: str | None
    ) -> AbstractAsyncContextManager[Presence]:
        """Begin to show that june is at it, and go on until the block is left.

        Args:
            to: the message that is being answered.
            speaks: a voice note is being made, rather than a text.
            captioned: the voice note's text is to be its caption: no message of its own may be left with it.
            shown: the message that shows the text already, if an attempt before this one has sent it.

        """


class AccompanyActivity:
    """The activity ``accompany`` of one platform."""

    def __init__(self, edge: Accompanying) -> None:
        """Take the platform."""
        self._edge = edge

    @activity.defn
    async def accompany(self, request: AccompanyRequest) -> None:
        """Show the turn until its reply is under way."""
        earlier = activity.info().heartbeat_details
        told = shown = str(earlier[0]) if earlier and earlier[0] else None
        glimpse = Glimpse()
        async with (
            self._edge.presence(
                request.to, speaks=request.speaks, captioned=request.captioned, shown=shown
            ) as presence,
            heartbeats(lambda: [presence.shown]),
        ):
            while not (glimpse := await _look() or glimpse).replying:
                if glimpse.sentences:
                    await presence.show(" ".join(glimpse.sentences))
                if presence.shown != told:
                    told = presence.shown
                    await tell_at_once(told)
                await asyncio.sleep(LOOK_SECONDS)


async def _look() -> Glimpse | None:
    """Look at the calling workflow; None while nobody can answer for it."""
    info = activity.info()
    turn = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    try:
        glimpse: Glimpse = await turn.query("progress", result_type=Glimpse, rpc_timeout=LOOK_PATIENCE)
    except (RPCError, WorkflowQueryFailedError) as error:
        activity.logger.debug("the turn cannot be looked at: %s", error)
        return None
    return glimpse
