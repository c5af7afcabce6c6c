"""Infer an answer, sentence by sentence."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Literal, Protocol

from temporalio import activity
from temporalio.service import RPCError

from activities.heartbeats import heartbeats
from activities.text.answer import Answer, Delta
from activities.values import Value

MAX_SIGNALS = 100
"""Sentences signalled while the model writes; the rest of a longer answer comes with the result alone."""


class Message(Value):
    """One message of a prompt, as OpenAI-compatible servers take them."""

    role: Literal["system", "user", "assistant"]
    content: str


class InferRequest(Value):
    """What to ask the model."""

    messages: tuple[Message, ...]
    model: str | None = None
    """None: the worker's default."""
    max_tokens: int = 400
    temperature: float = 0.3
    signal_sentences: bool = False
    """Signal each finished sentence (all but the last) to the calling workflow, signal name ``sentence``."""
    signal_ahead: bool = False
    """Signal sentences that seem to end, too: two words earlier than they are known to, and so the last one."""
    language: str | None = None
    """ISO 639-1 code of the answer, for the rules by which sentences end; None is English."""


class Sentence(Value):
    """A finished sentence, signalled while the model still writes.

    The result's ``sentences`` are what counts: in the rare case that text turned out to be thoughts after it
    was signalled, the sentence at that index there is another.
    """

    attempt: int
    index: int
    text: str
    certain: bool = True
    """False: it seems to end here and may go on, so that it can be spoken ahead, and is not to be shown or counted."""


class Inference(Value):
    """What the model said."""

    answer: str
    """For reading: Markdown as written, thoughts removed, capped."""
    sentences: tuple[str, ...]
    """For speaking: plain prose, a sentence each; empty when nothing can be spoken (only code, say)."""
    model: str
    finish_reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_chars: int = 0
    """Length of the thoughts that were kept apart, in characters."""
    first_token_ms: int | None = None
    """Milliseconds until the model began, if only to think."""
    engine_ms: int = 0
    """Milliseconds until the model ended."""
    attempt: int = 1


class LanguageModel(Protocol):
    """A server that answers prompts; ``workers.engines.openai_chat`` has the one for OpenAI's protocol."""

    def stream(self, request: InferRequest) -> AsyncGenerator[Delta, None]:
        """Yield the pieces of an answer as they arrive; closing the generator frees the server's slot.

        Raises:
            BadInputError: ``model-refused``, the server will never answer this request.
            ApplicationError: ``model-unavailable``, to be retried.

        """


class InferActivity:
    """The activity ``infer``."""

    def __init__(self, model: LanguageModel, max_answer_chars: int, *, thinks_first: bool = False) -> None:
        """Ask this model.

        Args:
            model: whom to ask; it does not retry by itself, as that is Temporal's.
            max_answer_chars: a longer answer is cut, and the model stopped.
            thinks_first: answers begin with thoughts that no tag opens (Qwen3-Thinking on a server without a
                reasoning parser): hold all back until ``</think>``.

        """
        self._model = model
        self._max_answer_chars = max_answer_chars
        self._thinks_first = thinks_first

    @activity.defn
    async def infer(self, request: InferRequest) -> Inference:
        """Ask the model; signal sentences while it writes, if asked to.

        Raises:
            BadInputError: ``model-refused``, or ``model-empty`` when all tokens went into thoughts.
            ApplicationError: ``model-unavailable`` or ``model-empty``, to be retried.

        """
        answer = Answer(request.language or "en", self._max_answer_chars, thinks_first=self._thinks_first)
        started, first_token_ms = time.monotonic(), None
        async with heartbeats(), _signals(request) as signal:
            async with aclosing(self._model.stream(request)) as deltas:
                async for delta in deltas:
                    answer.add(delta)
                    if answer.began and first_token_ms is None:
                        first_token_ms = _milliseconds_since(started)
                    if not answer.retracted:
                        signal(answer)
                    if answer.full:
                        break
            engine_ms = _milliseconds_since(started)
            answer.finish()
        return Inference(
            answer=answer.text,
            sentences=tuple(answer.sentences),
            model=answer.model,
            finish_reason=answer.finish_reason,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            reasoning_chars=answer.reasoning_chars,
            first_token_ms=first_token_ms,
            engine_ms=engine_ms,
            attempt=activity.info().attempt,
        )


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


@asynccontextmanager
async def _signals(request: InferRequest) -> AsyncIterator[Callable[[Answer], None]]:
    """Signal new sentences to the workflow, in order, in the background.

    The block gets a function to call with the answer so far. Leaving the block waits for signals under way; leaving it
    by an error drops them.
    """
    queue: asyncio.Queue[Sentence | None] = asyncio.Queue()
    attempt, count = activity.info().attempt, 0
    guessed: set[str] = set()

    def signal(answer: Answer) -> None:
        nonlocal count
        for text in answer.sentences[count:MAX_SIGNALS] if request.signal_sentences else ():
            queue.put_nowait(Sentence(attempt=attempt, index=count, text=text))
            count += 1
        for index, text in enumerate(answer.ahead() if request.signal_ahead else (), count):
            if len(guessed) < MAX_SIGNALS and text not in guessed:
                guessed.add(text)
                queue.put_nowait(Sentence(attempt=attempt, index=index, text=text, certain=False))

    async def send() -> None:
        info = activity.info()
        while sentence := await queue.get():
            workflow = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
            try:
                await workflow.signal("sentence", sentence)
            except RPCError as error:
                # The result holds every sentence: the answer is whole without, and a workflow that is gone needs none.
                activity.logger.warning("sentence %d was not signalled: %s", sentence.index, error.status.name)
                return

    sending = asyncio.create_task(send())
    try:
        yield signal
        queue.put_nowait(None)
        await sending
    finally:
        sending.cancel()
