"""Think: one call of the model, which gives the next action of a coding task."""

import time

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.coding.completion import Completion, read_completion
from activities.coding.storage import Owner, Transcripts
from activities.error_codes import ErrorCode
from activities.heartbeats import heartbeats
from activities.language_model import LanguageModel, ModelRequest, Sampling, too_long
from activities.values import BlobRef, Value
from activities.waiting import Waiting
from agent.actions import Finish, in_a_line
from agent.limits import action_digest, temperature_after
from agent.prompt import Driver, Window, build
from agent.step import Reply, interpret
from agent.transcript import Entry, Observation, Remark

SMALLER = 0.7
"""To which part the prompt is cut that the server finds too long."""
MAX_CUTS = 4
INTERRUPTED = "Interrupted: the machine that did this stopped. The workspace is as it was before this step."
MAX_SUMMARY_CHARS = 2000
MAX_SAID_CHARS = 200
CHARS_A_TOKEN = 8
"""At most, with room to spare: bounds what is read of a model that goes on."""


class RemarkRequest(Value):
    """What is said to the agent besides its observations."""

    text: str
    by_june: bool = False


class ThinkRequest(Value):
    """Where the task stands."""

    owner: Owner
    step: int
    transcript: BlobRef
    remarks: tuple[RemarkRequest, ...] = ()
    """Said since the step before; they become part of the transcript."""
    interrupted: bool = False
    """The step before was not carried out to its end: its worker died."""
    model: str | None = None
    """None: the worker's."""
    temperature: float | None = None
    """None: the worker's."""
    seed: int | None = None
    repeated: int = 0
    """Times that the last action was done in a row: the temperature rises with it."""
    waits_for_live: bool = True
    """It does not begin beside turns that somebody waits for."""


class Thought(Value):
    """The model's next action, in short; the whole is in the transcript."""

    transcript: BlobRef
    tool: str = ""
    """Name of the action's tool; empty where the model gave nothing that is an action."""
    line: str
    """The action, or what was wrong, on one line."""
    digest: str = ""
    """Equal for equal actions."""
    summary: str = ""
    """Of the action ``finish``."""
    said: str = ""
    """The first of what the model said besides, on one line."""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Thoughts included."""
    seconds: float = 0.0


class ThinkActivity:
    """The activity ``think``."""

    def __init__(
        self,
        model: LanguageModel,
        driver: Driver,
        window: Window,
        sampling: Sampling,
        transcripts: Transcripts,
        silent_seconds: float = 120.0,
    ) -> None:
        """Ask this model.

        Args:
            model: whom to ask; it does not retry by itself.
            driver: how the model gives its actions.
            window: its context window, and the budgets of an answer and the thoughts before it, in tokens.
            sampling: as the worker's settings say.
            transcripts: where the task's transcript is kept.
            silent_seconds: without a token, in all attempts together: a server that hangs is given up.

        """
        self._model = model
        self._driver = driver
        self._window = window
        self._sampling = sampling
        self._transcripts = transcripts
        self._silent_seconds = silent_seconds

    @activity.defn
    async def think(self, request: ThinkRequest) -> Thought:
        """Ask for the next action; whatever the model says becomes part of the transcript.

        Raises:
            CodingError: ``workspace-missing``, the transcript is deleted.
            BadInputError: ``model-refused``.
            ApplicationError: ``model-unavailable``, to be retried; for good, once the server was silent for too long.

        """
        started = time.monotonic()
        waiting = Waiting(self._silent_seconds, ErrorCode.MODEL_UNAVAILABLE)
        async with heartbeats(waiting.details):
            before = await self._transcripts.read(request.transcript)
            said = _said(request)
            async with waiting.bounded():
                completion = await self._ask(request, (*before, *said), waiting)
            reply = Reply(completion.content, completion.calls, completion.finish_reason, completion.thought_chars)
            turn = interpret(request.step, reply, (*before, *said))
            transcript = await self._transcripts.append(request.owner, request.transcript, (*said, turn))
        action = turn.action
        return Thought(
            transcript=transcript,
            tool=action.tool if action else "",
            line=in_a_line(action) if action else turn.problem[:120],
            digest=action_digest(action) if action else "",
            summary=action.summary[:MAX_SUMMARY_CHARS] if isinstance(action, Finish) else "",
            said=" ".join(turn.text.split())[:MAX_SAID_CHARS],
            model=completion.model,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            seconds=round(time.monotonic() - started, 2),
        )

    async def _ask(self, request: ThinkRequest, entries: tuple[Entry, ...], waiting: Waiting) -> Completion:
        """Ask with as much of the transcript as the server takes: tokens are estimated, and it may count more."""
        window = self._window
        asked_for = self._sampling.temperature if request.temperature is None else request.temperature
        temperature = temperature_after(request.repeated, asked_for)
        for cut in range(MAX_CUTS + 1):
            prompt = build(entries, self._driver, window)
            asked = ModelRequest(
                messages=prompt.messages,
                model=request.model,
                temperature=temperature,
                answer_tokens=window.answer_tokens,
                thinking_tokens=window.thinking_tokens,
                tools=prompt.tools,
                schema=prompt.schema,
                top_p=self._sampling.top_p,
                top_k=self._sampling.top_k,
                seed=request.seed,
                shortens=False,
            )
            try:
                max_chars = CHARS_A_TOKEN * (window.answer_tokens + window.thinking_tokens)
                return await read_completion(self._model, asked, waiting.renew, max_chars)
            except ApplicationError as error:
                refused = too_long(error)
                if refused is None or cut == MAX_CUTS:
                    raise
                activity.logger.info("the prompt is longer than the server takes; it is cut")
                tokens = min(window.context_tokens, refused.context_tokens or window.context_tokens)
                window = window._replace(context_tokens=int(SMALLER * tokens))
        raise AssertionError


def _said(request: ThinkRequest) -> tuple[Entry, ...]:
    """Return what has happened besides since the last entry of the transcript."""
    remarks = tuple(Remark(text=remark.text, by="june" if remark.by_june else "person") for remark in request.remarks)
    return (Observation(step=request.step - 1, text=INTERRUPTED), *remarks) if request.interrupted else remarks
