"""A message becomes a reply: fetch, transcribe, infer, synthesize while the model still writes, reply."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.accompany import ShowProgressActivity, ShowProgressRequest
    from activities.error_codes import ErrorCode
    from activities.fetch import FetchActivity, FetchRequest
    from activities.infer import InferActivity, Inference, InferRequest, Sentence
    from activities.reply import Delivered, ReplyActivity, ReplyRequest
    from activities.synthesize import Speech, SynthesizeActivity, SynthesizeRequest
    from activities.transcribe import TranscribeActivity, TranscribeRequest, Transcript
    from activities.values import BlobRef, Notice
    from workflows.activity_options import (
        GPU_TIMEOUT,
        HEARTBEAT_TIMEOUT,
        REPLY_TIMEOUT,
        TURN_DEADLINE,
        WAIT,
        WAIT_TIMEOUT,
        retries,
    )
    from workflows.errors import REFUSALS, code_of, nobody_took_it, notice_of, raise_if_cancelled
    from workflows.names import (
        CPU_QUEUE,
        ERROR,
        GPU_QUEUE,
        LANGUAGE,
        PLATFORM,
        STAGE,
        VOICE_MESSAGE,
        Stage,
        platform_queue,
    )
    from workflows.one_line import shortened
    from workflows.voice import web_ui
    from workflows.voice.contracts import (
        Memory,
        ReplyMode,
        TurnProgress,
        VoiceMessageRequest,
        VoiceMessageResult,
        findable,
    )
    from workflows.voice.memory import asked, prompt

UNINDEXED_STAGES = {Stage.FETCH, Stage.SYNTHESIZE}
"""Stages too short to be worth a write to the list of workflows: there they count as those before them."""
MAX_SENTENCES = 100
"""More are not spoken; the text holds them all."""


@workflow.defn(name=VOICE_MESSAGE, failure_exception_types=[ValidationError])
class VoiceMessage:
    """Answers one message, once. Started by a Conversation, or by hand."""

    @workflow.init
    def __init__(self, request: VoiceMessageRequest) -> None:
        """Take the request; its memory is there already unless a Conversation holds the turn back."""
        self._request = request
        self._memory = request.memory
        self._stage = Stage.FETCH
        self._stage_ms: dict[Stage, int] = {}
        self._deadline = workflow.now() + TURN_DEADLINE
        self._result = VoiceMessageResult(status="failed")
        self._written: list[str] = []
        self._writing_attempt = 0
        self._speaking: dict[str, asyncio.Task[Speech]] = {}
        self._progress_task: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, _request: VoiceMessageRequest) -> VoiceMessageResult:
        """Answer the message; whatever happens, the user is told."""
        if not workflow.info().typed_search_attributes.get(PLATFORM):  # started by hand
            workflow.upsert_search_attributes([pair.key.value_set(pair.value) for pair in findable(self._request)])
        try:
            self._show_progress_when_due()
            await self._fetch_and_transcribe()
            raise_if_cancelled()
            memory = await self._wait_for_memory()
            self._show_progress_when_due()
            inference = await self._infer(memory)
            raise_if_cancelled()
            speech = await self._speech(inference)
            raise_if_cancelled()
            await self._reply(inference, speech)
        except (ActivityError, asyncio.CancelledError) as error:
            if not isinstance(error, ActivityError) or is_cancelled_exception(error):
                await self._cancelled()
                raise
            await self._failed(error)
        return self._ended()

    @workflow.signal
    def proceed(self, memory: Memory) -> None:
        """All earlier turns of the conversation have ended: this is what it remembers of them."""
        if self._memory is None:
            self._memory = memory
            self._deadline = workflow.now() + TURN_DEADLINE

    @workflow.signal
    def sentence(self, sentence: Sentence) -> None:
        """Show and speak a sentence while the model still writes the next; speak one that only seems to end."""
        self._note(sentence)
        if self._speaks and len(self._speaking) < MAX_SENTENCES:
            self._speak(sentence.text)

    def _note(self, sentence: Sentence) -> None:
        """Add to what is written; a later attempt begins afresh, and an earlier one comes too late."""
        if sentence.attempt > self._writing_attempt:
            self._written, self._writing_attempt = [], sentence.attempt
        if sentence.certain and sentence.attempt == self._writing_attempt and sentence.index == len(self._written):
            self._written.append(sentence.text)

    @workflow.query
    def progress(self) -> TurnProgress:
        """Tell what is known so far."""
        return TurnProgress(
            stage=self._stage,
            replying=self._stage in {Stage.REPLY, Stage.DONE},
            result=self._result.model_copy(update={"stage_ms": dict(self._stage_ms)}),
            sentences=tuple(self._written),
            speech=self._ready_speech(),
        )

    def _ready_speech(self) -> tuple[BlobRef, ...]:
        ready: list[BlobRef] = []
        for text in self._written[:MAX_SENTENCES]:
            speaking = self._speaking.get(text)
            if speaking is None or not speaking.done() or speaking.cancelled() or speaking.exception():
                break
            ready.append(speaking.result().pcm or speaking.result().audio)
        return tuple(ready)

    # The stages

    async def _fetch_and_transcribe(self) -> None:
        """Fetch and transcribe; a typed message is its own transcript."""
        request = self._request
        if request.audio is None:
            self._update(transcript=request.text or "", language=request.settings.language or request.language or "en")
            return
        with self._enter(Stage.FETCH):
            fetched = await workflow.execute_activity_method(
                FetchActivity.fetch,
                FetchRequest(platform=request.platform, chat=request.chat, source=request.audio),
                task_queue=platform_queue(request.platform),
                start_to_close_timeout=timedelta(seconds=60),
                schedule_to_close_timeout=self._remaining(timedelta(minutes=5)),
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=retries(8, timedelta(seconds=30)),
                cancellation_type=WAIT,
                summary="download, verify, decode",
            )
        self._update(heard_seconds=round(fetched.audio.seconds, 1))
        with self._enter(Stage.TRANSCRIBE):
            transcript = await self._transcribe(fetched.audio)
        self._update(transcript=transcript.text, language=transcript.language)

    async def _transcribe(self, audio: BlobRef) -> Transcript:
        """Transcribe on a GPU worker; when none takes it in time, on a CPU worker."""
        try:
            return await self._transcribe_on(GPU_QUEUE, audio, GPU_TIMEOUT)
        except ActivityError as error:
            if not nobody_took_it(error):
                raise
        return await self._transcribe_on(CPU_QUEUE, audio, None)

    async def _transcribe_on(self, queue: str, audio: BlobRef, schedule_to_start: timedelta | None) -> Transcript:
        return await workflow.execute_activity_method(
            TranscribeActivity.transcribe,
            TranscribeRequest(audio=audio, language=self._request.settings.language),
            task_queue=queue,
            schedule_to_start_timeout=schedule_to_start,
            start_to_close_timeout=timedelta(minutes=5),
            schedule_to_close_timeout=self._remaining(timedelta(minutes=8)),
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=retries(5, timedelta(seconds=10)),
            cancellation_type=WAIT,
            summary=f"{audio.seconds:.1f} s of sound",
        )

    async def _wait_for_memory(self) -> Memory:
        """Wait until it is this turn's turn; should the conversation be gone, answer without its memory."""
        if self._memory is None:
            with self._enter(Stage.WAIT):
                try:
                    await workflow.wait_condition(lambda: self._memory is not None, timeout=WAIT_TIMEOUT)
                except TimeoutError:
                    self.proceed(Memory())
        return self._memory or Memory()

    async def _infer(self, memory: Memory) -> Inference:
        """Ask the model; it signals sentences meanwhile."""
        settings = self._request.settings
        with self._enter(Stage.INFER):
            inference = await workflow.execute_activity_method(
                InferActivity.infer,
                InferRequest(
                    messages=prompt(memory, asked(self._request, self._result.transcript), settings.system_prompt),
                    model=settings.model,
                    temperature=settings.temperature,
                    signal_sentences=self._speaks or self._request.accompanied or self._request.signal_sentences,
                    signal_ahead=self._speaks,
                    language=self._result.language,
                ),
                task_queue=GPU_QUEUE,
                start_to_close_timeout=timedelta(minutes=5),
                schedule_to_close_timeout=self._remaining(timedelta(minutes=10)),
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=retries(8, timedelta(seconds=10)),
                cancellation_type=WAIT,
                summary=f"{len(memory.window)} turns remembered",
            )
        self._written, self._writing_attempt = list(inference.sentences), inference.attempt
        self._update(answer=inference.answer)
        return inference

    def _show_progress_when_due(self) -> None:
        """Let the platform show that june is at it, from when the turn is not only waiting for those before it."""
        if self._request.accompanied and self._memory is not None and self._progress_task is None:
            self._progress_task = asyncio.create_task(self._show_progress())

    async def _show_progress(self) -> None:
        """Run beside the turn; the activity ends by itself when it sees that the reply is under way."""
        try:
            await workflow.execute_activity_method(
                ShowProgressActivity.show_progress,
                ShowProgressRequest(to=self._request.address, speaks=self._speaks, captioned=self._request.captioned),
                task_queue=platform_queue(self._request.platform),
                start_to_close_timeout=TURN_DEADLINE,
                schedule_to_close_timeout=TURN_DEADLINE,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=retries(3, timedelta(seconds=10)),
                summary="show that june is at it",
            )
        except ActivityError as error:
            workflow.logger.info("the turn goes on unaccompanied: %s", error.cause)

    async def _speech(self, inference: Inference) -> tuple[BlobRef, ...]:
        """Collect the sentences' speech; what a failed attempt of the model said is dropped."""
        if not (self._speaks and inference.sentences):
            return ()
        sentences = inference.sentences[:MAX_SENTENCES]
        for text in self._speaking.keys() - set(sentences):
            self._speaking[text].cancel()
        with self._enter(Stage.SYNTHESIZE):
            spoken = await asyncio.gather(*(self._speak(text) for text in sentences), return_exceptions=True)
        return self._usable(spoken)

    def _usable(self, spoken: list[Speech | BaseException]) -> tuple[BlobRef, ...]:
        """Give all sentences or none: a reply with holes in it misleads; the text is complete."""
        for outcome in spoken:
            if isinstance(outcome, ActivityError) and not is_cancelled_exception(outcome):
                self._update(error=code_of(outcome, Stage.SYNTHESIZE), error_stage=Stage.SYNTHESIZE)
                return ()
            if isinstance(outcome, BaseException):
                raise outcome
        return tuple(outcome.audio for outcome in spoken if isinstance(outcome, Speech))

    def _speak(self, text: str) -> asyncio.Task[Speech]:
        """Start to synthesize a sentence, unless that was done already."""
        if text not in self._speaking:
            self._speaking[text] = asyncio.create_task(self._synthesize(text))
        return self._speaking[text]

    async def _synthesize(self, text: str) -> Speech:
        request = self._request
        return await workflow.execute_activity_method(
            SynthesizeActivity.synthesize,
            SynthesizeRequest(
                platform=request.platform,
                chat=request.chat,
                text=text,
                language=self._result.language or "en",
                voice=request.settings.voice,
            ),
            task_queue=CPU_QUEUE,
            start_to_close_timeout=timedelta(seconds=60),
            schedule_to_close_timeout=self._remaining(timedelta(minutes=3)),
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=retries(5, timedelta(seconds=10)),
            cancellation_type=WAIT,
            summary=shortened(text),
        )

    async def _reply(self, inference: Inference, speech: tuple[BlobRef, ...]) -> None:
        """Send the text and the voice note."""
        error = self._result.error
        reply = ReplyRequest(
            to=self._request.address,
            text=inference.answer,
            transcript=self._heard,
            speech=speech,
            captioned=self._request.captioned,
            notice=Notice(key=error.value) if error else None,
        )
        delivered = await self._deliver(reply)
        self._update(status="answered", reply=delivered.audio, error=delivered.error or error)
        if delivered.error:
            self._update(error_stage=Stage.REPLY)

    async def _deliver(self, reply: ReplyRequest) -> Delivered:
        with self._enter(Stage.REPLY):
            return await workflow.execute_activity_method(
                ReplyActivity.reply,
                reply,
                task_queue=platform_queue(self._request.platform),
                start_to_close_timeout=timedelta(minutes=2),
                schedule_to_close_timeout=REPLY_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=retries(20, timedelta(minutes=5)),
                cancellation_type=WAIT,
                summary="voice note" if reply.speech else "text",
            )

    # The ends

    async def _failed(self, error: ActivityError) -> None:
        """Record the code and tell the user; a reply that cannot be delivered is all that stays untold."""
        await self._cancel_speech()
        code = code_of(error, self._stage)
        if workflow.now() >= self._deadline and self._stage is not Stage.REPLY:
            code = ErrorCode.TURN_TIMED_OUT
        workflow.logger.warning("turn failed in %s: %s", self._stage.value, code.value)
        self._update(status="refused" if code in REFUSALS else "failed", error=code, error_stage=self._stage)
        if self._stage is not Stage.REPLY:
            await self._tell(notice_of(error, code))

    async def _cancelled(self) -> None:
        """Stop what still speaks, and confirm to the user.

        In a conversation that confirms, as a turn cancelled before its first step could not.
        """
        await self._cancel_speech()
        self._update(error=ErrorCode.CANCELLED, error_stage=self._stage)
        if workflow.info().parent is None:
            await self._tell(Notice(key=ErrorCode.CANCELLED.value))
        self._ended()

    async def _cancel_speech(self) -> None:
        for speaking in self._speaking.values():
            speaking.cancel()
        await asyncio.gather(*self._speaking.values(), return_exceptions=True)

    async def _tell(self, notice: Notice) -> None:
        """Send a sentence of june's own; failing that is recorded, and changes nothing else."""
        try:
            await self._deliver(ReplyRequest(to=self._request.address, transcript=self._heard, notice=notice))
        except ActivityError as error:
            workflow.logger.error("the user could not be told of %s: %s", notice.key, error.cause)

    def _ended(self) -> VoiceMessageResult:
        self._stage = Stage.DONE
        self._update(stage_ms=dict(self._stage_ms), total_ms=_milliseconds(workflow.now() - workflow.info().start_time))
        attributes = [STAGE.value_set(Stage.DONE.value)]
        if self._result.error:
            attributes.append(ERROR.value_set(self._result.error.value))
        workflow.upsert_search_attributes(attributes)
        self._describe()
        return self._result

    # What people see

    @contextmanager
    def _enter(self, stage: Stage) -> Iterator[None]:
        """Show the stage while it runs, and measure it."""
        self._stage = stage
        if stage not in UNINDEXED_STAGES:
            heard = [LANGUAGE.value_set(self._result.language)] if self._heard and self._result.language else []
            workflow.upsert_search_attributes([STAGE.value_set(stage.value), *(heard if stage is Stage.INFER else [])])
        self._describe()
        began = workflow.now()
        try:
            yield
        finally:
            if workflow.in_workflow():  # not while it is put away (evicted), outside of its loop
                self._stage_ms[stage] = self._stage_ms.get(stage, 0) + _milliseconds(workflow.now() - began)

    def _describe(self) -> None:
        text = web_ui.of_turn(self._request, self._result, self._stage, self._stage_ms)
        workflow.set_current_details(text)

    def _update(self, **changes: object) -> None:
        self._result = self._result.model_copy(update=changes)

    @property
    def _heard(self) -> str:
        """What is shown as heard: nothing for a typed message."""
        return self._result.transcript if self._request.audio else ""

    @property
    def _speaks(self) -> bool:
        mode = self._request.settings.reply_mode
        return mode is ReplyMode.ALWAYS or (mode is ReplyMode.ON and self._request.audio is not None)

    def _remaining(self, timeout: timedelta) -> timedelta:
        """Give a stage its patience, or what is left of the turn's deadline."""
        return max(timedelta(milliseconds=1), min(timeout, self._deadline - workflow.now()))


def _milliseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
