"""The spoken side of an answer: its sentences as the model writes them, and the speech of each."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.infer import Inference, Sentence
    from activities.synthesize import Speech, SynthesizeActivity, SynthesizeRequest
    from activities.values import BlobRef
    from workflows import activity_options as options
    from workflows.activity_options import raise_if_cancelled, run_activity
    from workflows.errors import code_of
    from workflows.names import CPU_QUEUE, Stage
    from workflows.one_line import shortened
    from workflows.voice.contracts import ReplyMode, VoiceMessageRequest
    from workflows.voice.turn_record import TurnRecord

MAX_SENTENCES = 100
"""More are not spoken; the text holds them all."""


class SpokenAnswer:
    """Sentences are synthesized once each, while the model still writes the next, and collected in order."""

    def __init__(self, request: VoiceMessageRequest, record: TurnRecord) -> None:
        """Begin with nothing written; whether anything is spoken is for the chat's settings to say."""
        mode = request.settings.reply_mode
        self.is_wanted = mode is ReplyMode.ALWAYS or (mode is ReplyMode.ON and request.audio is not None)
        self.sentences: list[str] = []
        """What the model has written so far."""
        self._languages: list[str | None] = []  # of each sentence; fewer than those where nobody could tell
        self._attempt = 0
        self._request = request
        self._record = record
        self._tasks: dict[tuple[str, str], asyncio.Task[Speech]] = {}

    def add(self, sentence: Sentence) -> None:
        """Add what was written; a later attempt of the model begins anew, and an earlier one comes too late."""
        if sentence.attempt > self._attempt:
            self.sentences, self._languages, self._attempt = [], [], sentence.attempt
        if sentence.certain and sentence.attempt == self._attempt and sentence.index == len(self.sentences):
            self.sentences.append(sentence.text)
            self._languages.append(sentence.language)

    def speak_ahead(self, sentence: Sentence) -> None:
        """Start to synthesize a sentence that is written, or seems to be."""
        if self.is_wanted and len(self._tasks) < MAX_SENTENCES:
            self._speak((sentence.text, sentence.language or self._default_language))

    def complete(self, inference: Inference) -> None:
        """Replace what was signalled by the whole answer."""
        self.sentences, self._attempt = list(inference.sentences), inference.attempt
        self._languages = list(inference.languages)

    async def collect(self) -> tuple[BlobRef, ...]:
        """Return the speech of all sentences, in order; what a failed attempt of the model said is cancelled.

        All sentences or none: a reply with holes in it misleads, and the text is complete. The record says why there
        are none.

        Raises:
            ActivityError: the workflow was cancelled.
            asyncio.CancelledError: it was, which the last sentence's end has hidden.

        """
        sentences = self._spoken() if self.is_wanted else []
        if not sentences:
            return ()
        for sentence, task in self._tasks.items():
            if sentence not in sentences:
                task.cancel()
        with self._record.enter(Stage.SYNTHESIZE):
            spoken = await asyncio.gather(*map(self._speak, sentences), return_exceptions=True)
        for outcome in spoken:
            if isinstance(outcome, ActivityError) and not is_cancelled_exception(outcome):
                self._record.update(error=code_of(outcome, Stage.SYNTHESIZE), error_stage=Stage.SYNTHESIZE)
                raise_if_cancelled()
                return ()
            if isinstance(outcome, BaseException):
                raise outcome
        raise_if_cancelled()
        return tuple(speech.audio for speech in spoken if isinstance(speech, Speech))

    @property
    def ready(self) -> tuple[BlobRef, ...]:
        """Speech of the first sentences, as far as it is ready (s16le PCM, mono)."""
        ready: list[BlobRef] = []
        for sentence in self._spoken():
            task = self._tasks.get(sentence)
            if task is None or not task.done() or task.cancelled() or task.exception():
                break
            ready.append(task.result().pcm or task.result().audio)
        return tuple(ready)

    async def cancel(self) -> None:
        """Stop all synthesis under way, and wait for its end."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    @property
    def _default_language(self) -> str:
        """Of sentences whose language nobody could tell: that of the question, or one that is likely."""
        return self._record.result.language or next(iter(self._request.likely_languages), "en")

    def _spoken(self) -> list[tuple[str, str]]:
        """Return the sentences that are spoken, each with its language."""
        languages = [*self._languages, *[None] * len(self.sentences)]
        pairs = zip(self.sentences[:MAX_SENTENCES], languages, strict=False)
        return [(text, language or self._default_language) for text, language in pairs]

    def _speak(self, sentence: tuple[str, str]) -> asyncio.Task[Speech]:
        if sentence not in self._tasks:
            self._tasks[sentence] = asyncio.create_task(self._synthesize(*sentence))
        return self._tasks[sentence]

    async def _synthesize(self, text: str, language: str) -> Speech:
        request = self._request
        sentence = SynthesizeRequest(
            platform=request.platform,
            chat=request.chat,
            thread=request.thread,
            text=text,
            language=language,
            voice=request.settings.voice,
        )
        return await run_activity(
            SynthesizeActivity.synthesize,
            sentence,
            options.SYNTHESIZE,
            queue=CPU_QUEUE,
            deadline=self._record.deadline,
            summary=shortened(text),
        )
