"""Tell a chat how its task has ended: a sentence of june's, the agent's summary in writing and spoken, and the files.

The task's own workflow runs the activities that answer voice messages (``synthesize``, ``reply``), which lie below
both: neither workflow knows of the other, and one history shows the task and what was said of it.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.coding.present import PresentActivity, Presented, PresentRequest
    from activities.coding.storage import Owner
    from activities.reply import Delivered, FileRequest, ReplyActivity, ReplyRequest
    from activities.synthesize import Speech, SynthesizeActivity, SynthesizeRequest
    from activities.values import Address, BlobRef, Notice
    from workflows import activity_options
    from workflows.activity_options import ActivityOptions, retries, run_activity
    from workflows.coding.contracts import CodingOutcome, CodingReport, CodingRequest, ReportForm, Told, ToldFile
    from workflows.names import BACKGROUND, CPU_QUEUE, SANDBOX_QUEUE, chat_key, platform_queue
    from workflows.one_line import shortened

PRESENT = ActivityOptions(timedelta(minutes=2), timedelta(minutes=10), retries(5, timedelta(seconds=30)))
SEND_FILE = replace(activity_options.REPLY, attempt=timedelta(minutes=4))
"""A file may be much larger than a voice note."""
SENT_KINDS = frozenset({"added", "changed"})


async def tell_chat(request: CodingRequest, to: Address, owner: Owner, report: CodingReport) -> Told | None:
    """Tell a chat how its task has ended; what cannot be told is logged, as the task has ended all the same.

    A task that is cancelled meanwhile ends as it was about to, and nothing more is told.

    Returns:
        What was told; None where nothing was.

    """
    form, task = request.report_form, shortened(request.task.partition("\n")[0])
    told = Told(task=task, text=report.summary, notice=notice_of(report))
    try:
        presented = await _present(to, form, owner, report)
        speech = await _speak(to, form, presented) if form.spoken else ()
        delivered = await _reply(to, told.text, told.notice, speech, captioned=form.captioned)
        told = told.model_copy(update={"reply": delivered.audio if delivered.voice == "sent" else None})
        requests = [FileRequest(to=to, name=file.name, file=file.file) for file in presented.files]
        sent = [request for request in requests if await _send_file(request)]
        if len(sent) < len(requests):
            names = ", ".join(request.name for request in requests if request not in sent)
            await _reply(to, "", Notice(key="code-unsent", params={"names": names}), (), captioned=False)
    except (ActivityError, asyncio.CancelledError) as error:
        cause = error.cause if isinstance(error, ActivityError) else "cancelled"
        workflow.logger.warning("the chat was not told all of its task's end: %s", cause)
        return None
    return told.model_copy(update={"files": tuple(ToldFile(name=file.name, file=file.file) for file in sent)})


def notice_of(report: CodingReport) -> Notice:
    """Choose june's sentence on how a task has ended."""
    params = {"elapsed_seconds": report.seconds, "why": report.code}
    if report.outcome is CodingOutcome.FINISHED:
        return Notice(key="code-finished" if report.tests_passed else "code-finished-untested", params=params)
    return Notice(key=f"code-{report.outcome.value}", params=params)


async def _present(to: Address, form: ReportForm, owner: Owner, report: CodingReport) -> Presented:
    """Have the summary split and the files stored; without a sandbox worker there is the text alone."""
    compared = report.comparison
    if not report.summary and (compared is None or not compared.changed):
        return Presented()
    likely = [form.language, to.language]
    request = PresentRequest(
        owner=owner,
        workspace=report.workspace if compared else None,
        paths=tuple(file.path for file in compared.files if file.kind in SENT_KINDS) if compared else (),
        changed=compared.changed if compared else 0,
        summary=report.summary,
        likely_languages=tuple(dict.fromkeys(language for language in likely if language)),
    )
    try:
        return await run_activity(
            PresentActivity.present,
            request,
            PRESENT,
            queue=SANDBOX_QUEUE,
            summary="what the chat is given",
            although_cancelled=True,
        )
    except ActivityError as error:
        workflow.logger.warning("the chat is given no files and no speech: %s", error.cause)
        return Presented()


async def _speak(to: Address, form: ReportForm, presented: Presented) -> tuple[BlobRef, ...]:
    """Have the summary's sentences spoken: all or none, as the text is complete."""
    default = form.language or to.language or "en"
    requests = [
        SynthesizeRequest(
            platform=to.platform,
            chat=to.chat,
            thread=to.thread,
            text=sentence.text,
            language=sentence.language or default,
            voice=form.voice,
        )
        for sentence in presented.sentences
    ]
    spoken = await asyncio.gather(*map(_synthesize, requests), return_exceptions=True)
    for outcome in spoken:
        if isinstance(outcome, ActivityError):
            workflow.logger.warning("the summary is not spoken: %s", outcome.cause)
            return ()
        if isinstance(outcome, BaseException):
            raise outcome
    return tuple(speech.audio for speech in spoken if isinstance(speech, Speech))


async def _synthesize(request: SynthesizeRequest) -> Speech:
    return await run_activity(
        SynthesizeActivity.synthesize,
        request,
        activity_options.SYNTHESIZE,
        queue=CPU_QUEUE,
        summary=shortened(request.text),
        although_cancelled=True,
        priority=Priority(priority_key=BACKGROUND, fairness_key=chat_key(request.platform, request.chat)[:64]),
    )


async def _reply(to: Address, text: str, notice: Notice, speech: tuple[BlobRef, ...], *, captioned: bool) -> Delivered:
    return await run_activity(
        ReplyActivity.reply,
        ReplyRequest(to=to, text=text, notice=notice, speech=speech, captioned=captioned and bool(text)),
        activity_options.REPLY,
        queue=platform_queue(to.platform),
        summary=notice.key,
        although_cancelled=True,
    )


async def _send_file(request: FileRequest) -> bool:
    """Send a file; return False where the platform has refused it."""
    try:
        await run_activity(
            ReplyActivity.send_file,
            request,
            SEND_FILE,
            queue=platform_queue(request.to.platform),
            summary=request.name,
            although_cancelled=True,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("a file was not sent: %s", error.cause)
        return False
    return True
