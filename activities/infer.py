"""Infer an answer, sentence by sentence."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.heartbeats import heartbeats
from activities.language_model import LanguageModel, ModelRequest
from activities.text.answer import Answer, Bounds
from activities.text.languages import AnswerLanguages, DetectLanguage, likeliest
from activities.text.moment import dated, zone_named
from activities.values import Value
from activities.waiting import Waiting
from agent import messages as prompts

MAX_SIGNALS = 100
"""Sentences signalled while the model writes; the rest of a longer answer comes with the result alone."""
MAX_EMPTY_ATTEMPTS = 3
"""A model that says nothing so many times will not say anything the next time."""
WRITTEN_SECONDS = 1.0
"""Text without a new sentence (code, a list, a table) is signalled so often, to be shown."""
MAX_WRITTEN_SIGNALS = 100
"""Then text comes with sentences, and with the result."""
CANCELLATION_SECONDS = 0.25
"""Between heartbeats, by which a model learns that its answer was stopped: whoever spoke over it waits for that."""
THINKING_SECONDS = 2.0
"""Thoughts that take longer are told to the workflow, which shows that the model thinks."""
SPARE_THOUGHTS = 1.1
"""A server that closes thoughts at their budget by itself needs some tokens for that."""
THINKING_SHARE = 0.6
"""Part of an attempt's time that thoughts may take; the rest is the answer's."""
ANSWER_SHARE = 0.97
"""Part of it after which an answer that is still being written is taken as it is."""


class Message(Value):
    """One message of a prompt, as OpenAI-compatible servers take them."""

    role: Literal["system", "user", "assistant"]
    content: str
    said_at: datetime | None = None
    """When, which the model is told; None tells it nothing."""


class InferRequest(Value):
    """What to ask the model."""

    messages: tuple[Message, ...]
    model: str | None = None
    """None: the worker's default."""
    max_tokens: int | None = None
    """Longest answer, in tokens, thoughts not counted; None is the worker's setting."""
    temperature: float = 0.3
    background: bool = False
    """Nobody waits for it: it gives way to live turns."""
    prompt_only: bool = False
    """Only have the server read the prompt, which it caches for the next; the answer may be anything."""
    signal_sentences: bool = False
    """Signal each finished sentence (all but the last) to the calling workflow, signal name ``sentence``."""
    signal_ahead: bool = False
    """Signal sentences that seem to end, too: two words earlier than they are known to, and so the last one."""
    language: str | None = None
    """ISO 639-1 code of the question; None detects it, if it can be."""
    likely_languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the languages that question and answer may be in, the likeliest first."""
    asked_at: datetime | None = None
    """When the newest message is asked, which the model is told; None tells it nothing."""
    time_zone: str | None = None
    """IANA name of the time zone in which it is told; None is the worker's."""


class Written(Value):
    """What the model has written since the last signal of this attempt, for reading."""

    attempt: int
    start: int = 0
    """Where in the answer ``written`` begins, in characters; from there on it replaces what was signalled."""
    written: str = ""
    """Markdown, as the model writes it."""


class Sentence(Written):
    """A finished sentence, signalled while the model still writes.

    The result's ``sentences`` are what counts: in the rare case that text turned out to be thoughts after it
    was signalled, the sentence at that index there is another.
    """

    index: int
    text: str
    """For speaking: plain prose."""
    language: str | None = None
    """ISO 639-1 code of what it is in; None where nobody can tell."""
    certain: bool = True
    """False: it seems to end here and may go on, so that it can be spoken ahead, and is not to be shown or counted."""


class Thinking(Value):
    """Signalled once the model has been thinking for a while and has said nothing yet."""

    attempt: int


class Inference(Value):
    """What the model said."""

    answer: str
    """For reading: Markdown as written, thoughts removed, capped; one that was cut ends in an ellipsis."""
    sentences: tuple[str, ...]
    """For speaking: plain prose, a sentence each; empty when nothing can be spoken (only code, say)."""
    languages: tuple[str | None, ...] = ()
    """Of each sentence (ISO 639-1), None where it has no letters; empty where nobody can tell."""
    question_language: str | None = None
    """ISO 639-1 code of what was asked, as given or detected."""
    model: str
    finish_reason: str
    cut: bool = False
    """The answer ends before its end: at the limit of its length, or where it began to repeat itself."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_chars: int = 0
    """Length of the thoughts that were kept apart, in characters."""
    first_token_ms: int | None = None
    """Milliseconds until the model began, if only to think."""
    engine_ms: int = 0
    """Milliseconds until the model ended."""
    attempt: int = 1


class Budgets(NamedTuple):
    """How long answers and the thoughts before them may be; a model that goes on is stopped."""

    answer_chars: int
    answer_tokens: int
    thinking_tokens: int
    """0 for a model that does not think."""
    silent_seconds: float = 120.0
    """Without a token, in all attempts together: a server that hangs is given up."""


class InferActivity:
    """The activity ``infer``."""

    def __init__(
        self,
        model: LanguageModel,
        budgets: Budgets,
        detect_language: DetectLanguage | None = None,
        *,
        thinks_first: bool = False,
        time_zone: ZoneInfo | None = None,
    ) -> None:
        """Ask this model.

        Args:
            model: whom to ask; it does not retry by itself, as that is Temporal's.
            budgets: of answers, and of thoughts.
            detect_language: tells what questions and sentences are in; None leaves that open.
            thinks_first: answers begin with thoughts that no tag opens (Qwen3-Thinking on a server without a
                reasoning parser): hold all back until ``</think>``.
            time_zone: of chats that have chosen none; None is this machine's.

        """
        self._model = model
        self._budgets = budgets
        self._detect_language = detect_language
        self._thinks_first = thinks_first
        self._time_zone = time_zone

    @activity.defn
    async def infer(self, request: InferRequest) -> Inference:
        """Ask the model; signal sentences while it writes, if asked to.

        A model that has spent its budget on thoughts, or has called a tool instead of answering, is asked once more,
        for the answer alone, and where that brings none, in another way.

        Raises:
            BadInputError: ``model-refused``, or ``model-empty`` when it said nothing all the same.
            ApplicationError: ``model-unavailable`` or ``model-empty``, to be retried; ``model-unavailable`` for good,
                once no token has come for ``silent_seconds`` in all attempts together.

        """
        asked = ModelRequest(
            self._dated(request),
            request.model,
            request.temperature,
            1 if request.prompt_only else request.max_tokens or self._budgets.answer_tokens,
            0 if request.prompt_only else self._budgets.thinking_tokens,
        )
        asked_in, languages = self._languages(request)
        waiting = Waiting(self._budgets.silent_seconds, ErrorCode.MODEL_UNAVAILABLE)
        reading = _Reading(asked_in or "en", self._budgets.answer_chars, waiting)
        async with (
            heartbeats(waiting.details, interval=CANCELLATION_SECONDS),
            waiting.bounded(),
            _signals(request, languages) as signals,
        ):
            answer = await reading.read(self._model, asked, signals, thinks_first=self._thinks_first)
            if answer.is_empty and (answer.thought_chars or answer.called_tool) and not request.prompt_only:
                _warn_of(answer, asked)
                answer = await self._ask_for_the_answer(asked, answer.thoughts, reading, signals)
        if answer.is_empty and not request.prompt_only:
            raise _empty(answer)
        return Inference(
            answer=answer.text,
            sentences=tuple(answer.sentences),
            languages=languages.of_all(answer.sentences) if languages else (),
            question_language=asked_in,
            model=answer.model,
            finish_reason=answer.finish_reason,
            cut=answer.cut,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            reasoning_chars=reading.thought_chars,
            first_token_ms=reading.first_token_ms,
            engine_ms=reading.engine_ms,
            attempt=activity.info().attempt,
        )

    async def _ask_for_the_answer(
        self, asked: ModelRequest, thoughts: str, reading: "_Reading", signals: "_Signals"
    ) -> Answer:
        """Ask for the answer alone: by closed thoughts to go on from, or in words, as some models only repeat those."""
        if thoughts:
            answer = await reading.read(self._model, asked._replace(thoughts=thoughts, thinking_tokens=0), signals)
            if not answer.is_empty:
                return answer
        return await reading.read(self._model, asked._replace(thoughts="", thinking_tokens=0), signals)

    def _languages(self, request: InferRequest) -> tuple[str | None, AnswerLanguages | None]:
        """Return the question's language, and what tells those of the answer's sentences."""
        if self._detect_language is None:
            return request.language, None
        question = request.messages[-1].content if request.messages else ""
        asked_in = request.language or self._detect_language(question, request.likely_languages)
        return asked_in, AnswerLanguages(self._detect_language, likeliest(asked_in, request.likely_languages))

    def _dated(self, request: InferRequest) -> tuple[prompts.Message, ...]:
        """Tell with each message when it was said: as it was told before, so that the server has it in its cache."""
        zone, before = zone_named(request.time_zone) or self._time_zone, None
        moments = [*(message.said_at for message in request.messages[:-1]), request.asked_at]
        told = []
        for message, moment in zip(request.messages, moments, strict=False):  # none where there are no messages
            content = dated(message.content, moment, zone, before) if moment else message.content
            told.append(prompts.Message(message.role, content))
            before = moment or before
        return tuple(told)


class _Reading:
    """Reads answers, and measures them."""

    def __init__(self, language: str, max_chars: int, waiting: Waiting) -> None:
        self._language, self._max_chars = language, max_chars
        self._waiting = waiting
        self._seconds = _seconds_left()
        self._started = time.monotonic()
        self.first_token_ms: int | None = None
        self.engine_ms = 0
        self.thought_chars = 0

    async def read(
        self, model: LanguageModel, asked: ModelRequest, signals: "_Signals", *, thinks_first: bool = False
    ) -> Answer:
        """Read an answer to its end, or to the end of a budget; the model is stopped there."""
        closed = asked.thoughts is not None
        # Where thoughts were closed, a server whose parser waits for their end sends the answer as thoughts.
        thought_tokens = asked.answer_tokens if closed else int(SPARE_THOUGHTS * asked.thinking_tokens)
        bounds = Bounds(self._max_chars, asked.answer_tokens, thought_tokens)
        answer = Answer(self._language, bounds, thinks_first=thinks_first)
        thinks_until, writes_until = self._after(THINKING_SHARE), self._after(ANSWER_SHARE)
        async with aclosing(model.stream(asked)) as deltas:
            async for delta in deltas:
                answer.add(delta)
                if delta.content or delta.reasoning:  # servers that hang may go on to send empty pieces
                    self._waiting.renew()
                if answer.began and self.first_token_ms is None:
                    self.first_token_ms = _milliseconds_since(self._started)
                if not answer.retracted:
                    signals.send(answer)
                now = time.monotonic()
                if answer.complete or (now > thinks_until and answer.is_empty and not closed):
                    break
                if now > writes_until and not answer.is_empty:
                    answer.cut_off()
                    break
        answer.finish()
        self.engine_ms = _milliseconds_since(self._started)
        if closed and answer.is_empty and answer.reasoning and not answer.complete and not answer.cut:
            activity.logger.warning("the model server sends answers as thoughts; check its reasoning parser")
            answer.take_reasoning()
        self.thought_chars += answer.thought_chars
        return answer

    def _after(self, share: float) -> float:
        """Return when so much of the time is over, by the monotonic clock."""
        return self._started + share * self._seconds


def _seconds_left() -> float:
    """Return the time of this attempt: what those before it, and its wait for a worker, have left."""
    info = activity.info()
    if info.start_to_close_timeout is None:
        return float("inf")
    return (info.start_to_close_timeout - (info.started_time - info.scheduled_time)).total_seconds()


def _warn_of(answer: Answer, asked: ModelRequest) -> None:
    """Tell the operator why the model is asked a second time, and which setting changes that."""
    if answer.called_tool:
        activity.logger.warning("the model called a tool instead of answering; it is asked for the answer alone")
    else:
        activity.logger.warning(
            "the model has thought for %d characters and said nothing (finish reason %s, budget %d tokens); it is "
            "asked for the answer alone. JUNE_LLM_THINKING_TOKENS is the budget of its thoughts.",
            *(answer.thought_chars, answer.finish_reason, asked.thinking_tokens),
        )


def _empty(answer: Answer) -> ApplicationError:
    """Return the error for a model that said nothing."""
    message = f"no answer, {answer.thought_chars} characters of thoughts, finish reason {answer.finish_reason}"
    filtered = answer.finish_reason == "content_filter"
    if answer.thought_chars or answer.called_tool or filtered or activity.info().attempt >= MAX_EMPTY_ATTEMPTS:
        return BadInputError(ErrorCode.MODEL_EMPTY, message)
    return ApplicationError(message, type=ErrorCode.MODEL_EMPTY.value)


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


class _Signals:
    """Signals the calling workflow of new sentences, in order, and of thoughts that take a while."""

    def __init__(self, request: InferRequest, languages: AnswerLanguages | None) -> None:
        self._request = request
        self._languages = languages
        self._queue: asyncio.Queue[Written | Thinking | None] = asyncio.Queue()
        self._attempt = activity.info().attempt
        self._count = 0
        self._guessed: set[str] = set()
        self._written = ""
        self._written_at: float | None = None
        self._written_signals = 0
        self._thinking_since: float | None = None
        self._told = not request.signal_sentences

    def send(self, answer: Answer) -> None:
        """Queue what is new in the answer so far."""
        if not self._told and not answer.sentences and answer.thought_chars:
            self._thinking_since = self._thinking_since or time.monotonic()
            if time.monotonic() - self._thinking_since >= THINKING_SECONDS:
                self._told = True
                self._queue.put_nowait(Thinking(attempt=self._attempt))
        for text in answer.sentences[self._count : MAX_SIGNALS] if self._request.signal_sentences else ():
            self._put(answer, text, self._count, answer.sentences[: self._count])
            self._count += 1
        guessed = answer.ahead() if self._request.signal_ahead else []
        for index, text in enumerate(guessed):
            if len(self._guessed) < MAX_SIGNALS and text not in self._guessed:
                self._guessed.add(text)
                before = [*answer.sentences, *guessed[:index]]
                self._put(answer, text, self._count + index, before, certain=False)
        if self._request.signal_sentences and not answer.is_empty:
            self._send_text(answer)

    def _send_text(self, answer: Answer) -> None:
        """Queue the text so far where no sentence has told of it for a while."""
        now = time.monotonic()
        self._written_at = self._written_at or now
        if now - self._written_at >= WRITTEN_SECONDS and self._written_signals < MAX_WRITTEN_SIGNALS:
            piece = self._new_text(answer)
            if piece.written:
                self._written_signals += 1
                self._queue.put_nowait(piece)

    def _put(self, answer: Answer, text: str, index: int, before: Sequence[str], *, certain: bool = True) -> None:
        language = self._languages.of(text, before) if self._languages else None
        piece = self._new_text(answer)
        sentence = Sentence(**dict(piece), index=index, text=text, language=language, certain=certain)
        self._queue.put_nowait(sentence)

    def _new_text(self, answer: Answer) -> Written:
        """Return what was written since this was called last."""
        text, before = answer.text, self._written
        start = len(before) if text.startswith(before) else 0
        self._written, self._written_at = text, time.monotonic()
        return Written(attempt=self._attempt, start=start, written=text[start:])

    async def deliver(self) -> None:
        """Send what is queued until ``close`` is called."""
        info = activity.info()
        while value := await self._queue.get():
            workflow = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
            try:
                await workflow.signal(type(value).__name__.lower(), value)
            except RPCError as error:
                # The result holds every sentence: the answer is whole without, and a workflow that is gone needs none.
                activity.logger.warning("a %s was not signalled: %s", type(value).__name__, error.status.name)
                return

    def close(self) -> None:
        """Let ``deliver`` return once all is sent."""
        self._queue.put_nowait(None)


@asynccontextmanager
async def _signals(request: InferRequest, languages: AnswerLanguages | None) -> AsyncIterator[_Signals]:
    """Signal the workflow in the background while the block runs.

    Leaving the block waits for signals under way; leaving it by an error drops them.
    """
    signals = _Signals(request, languages)
    sending = asyncio.create_task(signals.deliver())
    try:
        yield signals
        signals.close()
        await sending
    finally:
        sending.cancel()
