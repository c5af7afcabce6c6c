"""Say a benchmark's text by june's own voice."""

from collections.abc import Awaitable, Callable

from temporalio import activity

from activities.speech.clips import ClipsError, read_set
from activities.speech.requests import MeasureRequest
from activities.synthesize import Speech, SynthesizeRequest

Synthesize = Callable[[SynthesizeRequest], Awaitable[Speech]]


class SayActivity:
    """The activity ``say``, of the worker that has the voices."""

    def __init__(self, synthesize: Synthesize) -> None:
        """Speak by the activity ``synthesize``, with its engine, text for speech, encoder and store."""
        self._synthesize = synthesize

    @activity.defn
    async def say(self, request: MeasureRequest) -> Speech | None:
        """Say a task's text; None where there is no such text, which ``measure`` then says.

        Raises:
            BadInputError: ``voice-unavailable``.

        """
        try:
            clip = read_set(request.pinned.data_set).clip(request.task)
        except ClipsError:
            return None
        owner = request.owner
        return await self._synthesize(
            SynthesizeRequest(
                platform=owner.platform,
                chat=owner.chat,
                thread=owner.thread,
                text=clip.text,
                language=clip.language,
            )
        )
