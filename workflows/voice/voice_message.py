"""A message becomes a reply: fetch, transcribe, infer, synthesize while the model still writes, reply."""

import asyncio
from functools import partial
from logging import INFO, WARNING

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.fetch import FetchActivity, FetchRequest
    from activities.infer import InferActivity, Inference, InferRequest, Sentence, Thinking, Written
    from activities.reply import Delivered, ReplyActivity, ReplyRequest
    from activities.text.answer import LIMITS, marked_as_cut
    from activities.transcribe import TranscribeActivity, TranscribeRequest, Transcript
    from activities.values import BlobRef, Notice
    from workflows import activity_options as options
    from workflows.activity_options import run_activity
    from workflows.errors import REFUSALS, code_of, nobody_took_it, notice_of
    from workflows.names import CPU_QUEUE, GPU_QUEUE, PLATFORM, VOICE_MESSAGE, Stage, platform_queue
    from workflows.voice.background import show_progress
    from workflows.voice.contracts import (
        Memory,
        Stop,
        TurnProgress,
        VoiceMessageRequest,
        VoiceMessageResult,
        findable,
    )
    from workflows.voice.memory import asked, prompt
    from workflows.voice.speech import SpokenAnswer
    from workflows.voice.turn_record import TurnRecord
    from workflows.voice.written import WrittenAnswer


@workflow.defn(name=VOICE_MESSAGE, failure_exception_types=[ValidationError])
class VoiceMessage:
    """Answers one message, once. Started by a Conversation, or by hand."""

    @workflow.init
    def __init__(self, request: VoiceMessageRequest) -> None:
        """Begin; the memory is there already unless a Conversation holds the turn back."""
        self._request = request
        self._queue = platform_queue(request.platform)
        self._memory = request.memory
        self._record = TurnRecord(request)
        self._spoken = SpokenAnswer(request, self._record)
        self._written = WrittenAnswer()
        self._progress_task: asyncio.Task[None] | None = None
        self._main_task: asyncio.Task[object] | None = None
        self._stop = Stop() if request.stopped else None

    @workflow.run
    async def run(self, _request: VoiceMessageRequest) -> VoiceMessageResult:
        """Answer the message; whatever happens, the user is told."""
        if not workflow.info().typed_search_attributes.get(PLATFORM):  # started by hand
            workflow.upsert_search_attributes([pair.key.value_set(pair.value) for pair in findable(self._request)])
        self._main_task = asyncio.current_task()
        try:
            self._show_progress()
            await self._fetch_and_transcribe()
            memory = await self._wait_for_memory()
            self._show_progress()
            inference = await self._infer(memory)
            speech = await self._spoken.collect()
            await self._reply(inference, speech)
        except (ActivityError, asyncio.CancelledError) as error:
            await self._spoken.cancel()
            if isinstance(error, ActivityError) and not is_cancelled_exception(error):
                await self._end_failed(error)
            elif self._stop:
                await self._end_stopped()
            else:
                await self._end_cancelled()
                raise
        return self._record.end()

    @workflow.signal
    def proceed(self, memory: Memory) -> None:
        """All earlier turns of the conversation have ended: this is what it remembers of them."""
        if self._memory is None:
            self._memory = memory
            self._record.restart()

    @workflow.signal
    def stop(self, stop: Stop) -> None:
        """End the turn here, as a person asks: what was said so far is kept. Once it is being sent, it is answered."""
        if self._stop is None:
            self._stop = stop
            self._record.update(heard_chars=stop.heard_chars)
            if self._main_task and self._record.stage is not Stage.REPLY:
                self._main_task.cancel()

    @workflow.signal
    def written(self, piece: Written) -> None:
        """Show what the model has written, while it writes what is no sentence (code, say)."""
        self._written.add(piece)

    @workflow.signal
    def sentence(self, sentence: Sentence) -> None:
        """Show and speak a sentence while the model still writes the next; speak one that only seems to end."""
        self._written.add(sentence)
        self._spoken.add(sentence)
        self._spoken.speak_ahead(sentence)

    @workflow.signal
    def thinking(self, thinking: Thinking) -> None:
        """Show that the model thinks before it answers."""
        self._record.show_thinking(attempt=thinking.attempt)

    @workflow.query
    def progress(self) -> TurnProgress:
        """Return what is known so far."""
        return TurnProgress(
            stage=self._record.stage,
            replying=self._record.stage in {Stage.REPLY, Stage.DONE},
            result=self._record.result,
            thinking=self._record.stage is Stage.INFER and self._record.thinks and not self._spoken.sentences,
            written=self._written.text,
            sentences=tuple(self._spoken.sentences),
            speech=self._spoken.ready,
        )

    # The stages

    def _show_progress(self) -> None:
        """Have the platform show that june is at it, unless the turn only waits for those before it."""
        starts = self._memory is not None and self._progress_task is None and self._stop is None
        if self._request.accompanied and starts:
            self._progress_task = asyncio.create_task(show_progress(self._request, speaks=self._spoken.is_wanted))

    async def _fetch_and_transcribe(self) -> None:
        """Fetch and transcribe; a typed message is its own transcript."""
        request, language = self._request, self._request.settings.language
        if request.audio is None:
            self._record.update(transcript=request.text or "", language=language)
        if self._stop:  # before it began
            raise asyncio.CancelledError
        if request.audio is None:
            return
        with self._record.enter(Stage.FETCH):
            fetched = await run_activity(
                FetchActivity.fetch,
                FetchRequest(platform=request.platform, chat=request.chat, thread=request.thread, source=request.audio),
                options.FETCH,
                queue=self._queue,
                deadline=self._record.deadline,
                although_cancelled=True,  # as 0.1.0 did: the transcription is told
                summary="download, verify, decode",
            )
        self._record.update(heard_seconds=round(fetched.audio.seconds, 1), question=fetched.audio)
        with self._record.enter(Stage.TRANSCRIBE):
            transcript = await self._transcribe(
                TranscribeRequest(audio=fetched.audio, language=language, likely_languages=request.likely_languages)
            )
        self._record.update(transcript=transcript.text, language=transcript.language)

    async def _transcribe(self, request: TranscribeRequest) -> Transcript:
        """Transcribe on a GPU worker; when none takes it in time, on a CPU worker."""
        deadline, sound = self._record.deadline, f"{request.audio.seconds:.1f} s of sound"
        how = options.transcribing(request.audio.seconds)
        transcribe = partial(run_activity, TranscribeActivity.transcribe, request, how, summary=sound)
        try:
            return await transcribe(queue=GPU_QUEUE, deadline=deadline, schedule_to_start=options.GPU_TIMEOUT)
        except ActivityError as error:
            if not nobody_took_it(error):
                raise
        return await transcribe(queue=CPU_QUEUE, deadline=self._record.deadline)

    async def _wait_for_memory(self) -> Memory:
        """Wait for the turns before this one; should the conversation be gone, answer without its memory."""
        if self._memory is None:
            with self._record.enter(Stage.WAIT):
                try:
                    await workflow.wait_condition(lambda: self._memory is not None, timeout=options.MEMORY_TIMEOUT)
                except TimeoutError:
                    self.proceed(Memory())
        return self._memory or Memory()

    async def _infer(self, memory: Memory) -> Inference:
        """Ask the model; it signals sentences meanwhile."""
        request, known, speaks = self._request, self._record.result, self._spoken.is_wanted
        question = InferRequest(
            messages=prompt(memory, asked(request, known.transcript), request.settings.system_prompt),
            model=request.settings.model,
            temperature=request.settings.temperature,
            signal_sentences=speaks or request.accompanied or request.signal_sentences,
            signal_ahead=speaks,
            language=known.language,
            likely_languages=request.likely_languages,
            asked_at=workflow.now(),
            time_zone=request.settings.time_zone,
        )
        self._record.update(asked_at=question.asked_at)
        with self._record.enter(Stage.INFER):
            inference = await run_activity(
                InferActivity.infer,
                question,
                options.INFER,
                queue=GPU_QUEUE,
                deadline=self._record.deadline,
                summary=f"{len(memory.window)} turns remembered",
            )
        self._spoken.complete(inference)
        self._written.complete(inference)
        self._record.update(
            language=known.language or inference.question_language or request.language,
            answer=inference.answer,
            answer_language=next(filter(None, inference.languages), None),
            cut=inference.cut,
        )
        return inference

    async def _reply(self, inference: Inference, speech: tuple[BlobRef, ...]) -> None:
        """Send the text and the voice note."""
        error = self._record.result.error
        told = error.value if error else "answer-cut" if inference.finish_reason in LIMITS else None
        notice = Notice(key=told) if told else None
        delivered = await self._deliver(text=inference.answer, speech=speech, notice=notice)
        self._record.update(status="answered", reply=delivered.audio, error=delivered.error or error)
        if delivered.error:
            self._record.update(error_stage=Stage.REPLY)

    async def _deliver(self, notice: Notice | None, text: str = "", speech: tuple[BlobRef, ...] = ()) -> Delivered:
        to, heard, captioned = self._request.address, self._record.heard, bool(text) and self._request.captioned
        with self._record.enter(Stage.REPLY):
            delivered = await run_activity(
                ReplyActivity.reply,
                ReplyRequest(to=to, text=text, transcript=heard, speech=speech, captioned=captioned, notice=notice),
                options.REPLY,
                queue=self._queue,
                although_cancelled=True,  # what was sent is sent
                summary="voice note" if speech else "text",
            )
        if delivered.is_uncertain:
            self._record.update(uncertain=True)
        return delivered

    async def _end_failed(self, error: ActivityError) -> None:
        """Record the code and tell the user; a reply that cannot be delivered is all that stays untold."""
        stage = self._record.stage
        code = code_of(error, stage)
        if workflow.now() >= self._record.deadline and stage is not Stage.REPLY:
            code = ErrorCode.TURN_TIMED_OUT
        refused = code in REFUSALS
        workflow.logger.log(INFO if refused else WARNING, "turn failed in %s: %s", stage.value, code.value)
        self._record.update(status="refused" if refused else "failed", error=code, error_stage=stage)
        if stage is not Stage.REPLY:
            await self._notify(notice_of(error, code))

    async def _end_stopped(self) -> None:
        """Keep what was said so far; send it, but to a page, which reads it here."""
        whole, text = self._record.result.answer, self._written.text.rstrip()
        answer = whole or (marked_as_cut(text) if text else "")
        self._record.update(status="stopped", answer=answer, cut=not whole)
        if not self._request.signal_sentences:
            await self._notify(Notice(key=ErrorCode.CANCELLED.value), answer)

    async def _end_cancelled(self) -> None:
        """Confirm to the user; in a conversation that confirms, as a turn not yet begun could not."""
        self._record.update(error=ErrorCode.CANCELLED, error_stage=self._record.stage)
        if workflow.info().parent is None:
            await self._notify(Notice(key=ErrorCode.CANCELLED.value))
        self._record.end()

    async def _notify(self, notice: Notice, text: str = "") -> None:
        """Send a sentence of june's own, after a text; failing that is recorded, and changes nothing else."""
        try:
            await self._deliver(notice, text)
        except ActivityError as error:
            workflow.logger.error("the user could not be told of %s: %s", notice.key, error.cause)
