"""Show a turn under way on its platform: that june is working, and the text as the model writes it."""

import asyncio
import time
from datetime import timedelta

from temporalio import activity
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.heartbeats import heartbeat_now, heartbeats
from activities.platforms.platform import ShowsProgress
from activities.values import Address, Notice, Say, Value

POLL_SECONDS = 0.5
"""Between two queries of the turn; a query leaves nothing in its history."""
THINKING_SECONDS = 8.0
"""Thoughts that take longer are told in a sentence."""
SLOW_SECONDS = 30.0
"""A turn that has nothing to show for so long, not even thoughts, is told of in a sentence."""
QUERY_TIMEOUT = timedelta(seconds=5)


class ShowProgressRequest(Value):
    """How to show the calling workflow's turn."""

    to: Address
    speaks: bool
    """A voice note is being made, rather than a text."""
    captioned: bool = False
    """Its text is to be its caption, so that no message with the text so far can become the answer."""


class TurnProgress(Value):
    """The part of the workflow's query ``progress`` that is shown."""

    replying: bool = False
    thinking: bool = False
    written: str = ""
    sentences: tuple[str, ...] = ()


class ShowProgressActivity:
    """The activity ``accompany`` of one platform."""

    def __init__(self, platform: ShowsProgress, say: Say) -> None:
        """Show turns on this platform, with sentences of june's own as ``say`` words them."""
        self._platform = platform
        self._say = say

    @activity.defn(name="accompany")
    async def show_progress(self, request: ShowProgressRequest) -> None:
        """Show the turn until its reply is under way."""
        info = activity.info()
        turn = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        earlier = info.heartbeat_details
        recorded = shown = str(earlier[0]) if earlier and earlier[0] else None
        progress, thinking_since, began = TurnProgress(), 0.0, time.monotonic()
        async with (
            self._platform.presence(
                request.to, speaks=request.speaks, captioned=request.captioned, shown=shown
            ) as presence,
            heartbeats(lambda: [presence.shown]),
        ):
            while True:
                try:
                    progress = await turn.query("progress", result_type=TurnProgress, rpc_timeout=QUERY_TIMEOUT)
                except (RPCError, WorkflowQueryFailedError) as error:  # no worker answers for it now
                    activity.logger.debug("the turn cannot be queried: %s", error)
                if progress.replying:
                    return
                if progress.written or progress.sentences:
                    await presence.show(progress.written or " ".join(progress.sentences))
                elif progress.thinking:
                    thinking_since = thinking_since or time.monotonic()
                    if time.monotonic() - thinking_since > THINKING_SECONDS:
                        await presence.tell(self._say(Notice(key="thinking"), request.to.language))
                elif time.monotonic() - began > SLOW_SECONDS:
                    await presence.tell(self._say(Notice(key="slow"), request.to.language))
                if presence.shown != recorded:
                    recorded = presence.shown
                    await heartbeat_now(recorded)
                await asyncio.sleep(POLL_SECONDS)
