"""The running summary of a conversation: taken when nobody speaks, given up when somebody does, and taken again."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.infer import InferActivity, Inference, InferRequest
    from workflows import activity_options as options
    from workflows.activity_options import run_activity
    from workflows.names import BACKGROUND, GPU_QUEUE
    from workflows.voice.background import fairly
    from workflows.voice.contracts import ChatSettings, ConversationState, Exchange, Memory
    from workflows.voice.memory import prompt, summarised, summary_prompt, to_summarise

SUMMARY_TOKENS = 250
QUIET = timedelta(seconds=5)
"""How long nobody speaks before the summary is taken."""
WHEN_QUIET = "summary-when-quiet"
"""Patch id: conversations of 0.1.0 took their summary at once."""


class RunningSummary:
    """Folds the oldest turns of a conversation into its summary, beside the turns."""

    def __init__(
        self,
        state: ConversationState,
        *,
        is_busy: Callable[[], bool],
        settings: Callable[[], ChatSettings],
        read: Callable[[], Memory],
        write: Callable[[Memory], None],
    ) -> None:
        """Begin with nothing due.

        Args:
            state: of the conversation; names the chat.
            is_busy: whether a message is being answered, or waits.
            settings: returns what the chat has chosen.
            read: returns what the conversation remembers now.
            write: replaces it.

        """
        self._platform, self._chat = state.platform, state.chat
        self._is_busy, self._settings = is_busy, settings
        self._read, self._write = read, write
        self._task: asyncio.Task[None] | None = None

    def begin(self, *, at_start: bool = False) -> None:
        """Take the summary in the background where one is due, unless that is under way.

        Args:
            at_start: the run has just begun, with what the run before had not summarised.

        """
        if not to_summarise(self._read()) or (self._task and not self._task.done()):
            return
        if workflow.patched(WHEN_QUIET):
            self._task = asyncio.create_task(self._take_when_quiet())
        elif not at_start and to_summarise(self._read(), weighted=False):
            self._task = asyncio.create_task(self._take_at_once())

    async def stop(self) -> None:
        """Give the summary up, and wait for its end: turns that it was not taken of are kept a while."""
        if self._task:
            if workflow.patched(WHEN_QUIET):
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _take_when_quiet(self) -> None:
        while gone := to_summarise(self._read()):
            await workflow.wait_condition(lambda: not self._is_busy())
            if await self._is_spoken_to(QUIET):
                continue
            summary = await self._unless_spoken_to(self._summarise(self._read(), gone))
            if isinstance(summary, str):
                self._replace(gone, summary)
                await self._unless_spoken_to(self._read_ahead())
            elif summary is None:
                return  # it failed; the next turn may have it tried again

    async def _unless_spoken_to(self, taking: Coroutine[Any, Any, str | None]) -> str | BaseException | None:
        """Return the summary, None when it failed, or the cancellation when somebody spoke."""
        task = asyncio.create_task(taking)
        try:
            await workflow.wait_condition(lambda: task.done() or self._is_busy())
        finally:
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
        return outcome

    async def _is_spoken_to(self, within: timedelta) -> bool:
        try:
            await workflow.wait_condition(self._is_busy, timeout=within)
        except TimeoutError:
            return False
        return True

    async def _take_at_once(self) -> None:
        memory = self._read()
        gone = to_summarise(memory, weighted=False)
        summary = await self._summarise(memory, gone)
        if summary is not None:
            self._replace(gone, summary)

    def _replace(self, gone: tuple[Exchange, ...], summary: str) -> None:
        memory = self._read()
        if memory.window[: len(gone)] == gone:  # the conversation was not reset meanwhile
            self._write(summarised(memory, gone, summary))

    async def _read_ahead(self) -> None:
        """Have the model server read what the next prompt begins with, as a new summary has changed it."""
        chosen = self._settings()
        request = InferRequest(
            messages=prompt(self._read(), "Hello", chosen.system_prompt),
            model=chosen.model,
            asked_at=workflow.now(),
            time_zone=chosen.time_zone,
            prompt_only=True,
            background=True,
        )
        await self._infer(request, "read the new summary")

    async def _summarise(self, memory: Memory, gone: tuple[Exchange, ...]) -> str | None:
        """Return a new running summary of the old one and the turns that leave the window; None when it failed."""
        request = InferRequest(
            messages=summary_prompt(memory, gone), max_tokens=SUMMARY_TOKENS, temperature=0.0, background=True
        )
        inference = await self._infer(request, f"summarise {len(gone)} turns")
        return inference.answer if inference else None

    async def _infer(self, request: InferRequest, summary: str) -> Inference | None:
        """Ask the model in the background; return None when it failed.

        Raises:
            ActivityError: it was given up, as somebody spoke.

        """
        try:
            return await run_activity(
                InferActivity.infer,
                request,
                options.SUMMARISE,
                queue=GPU_QUEUE,
                priority=fairly(self._platform, self._chat, BACKGROUND),
                summary=summary,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("not this time: %s: %s", summary, error.cause)
            return None
