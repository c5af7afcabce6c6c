"""What a chat is told of its task's end, with model, sandbox, voices and platform replaced by name."""

import asyncio
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle

from activities.coding.compare import ChangedFile, CompareRequest, Comparison
from activities.coding.present import Presented, PresentedFile
from activities.coding.storage import Owner
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.reply import FileRequest, ReplyRequest
from activities.values import Address, Notice
from bots.texts.catalogue import _texts
from tests.support.coding_world import CodingWorld, Step, hold_step, stored
from tests.support.world import PLATFORM, refuse
from workflows.coding.contracts import CodingOutcome, CodingReport, CodingRequest, Told, ToldFile
from workflows.coding.telling import notice_of
from workflows.coding.workflow import CodingTask
from workflows.names import CODING_TOLD_MEMO, WORKFLOW_QUEUE

TO = Address(platform=PLATFORM, chat="1", thread="5", message="7", language="de")
Handle = WorkflowHandle[CodingTask, CodingReport]


async def start(client: Client, **fields: object) -> Handle:
    request = CodingRequest.model_validate({"task": "Make calc.py add up.", "report_to": TO, **fields})
    return await client.start_workflow(CodingTask.run, request, id=f"code/{uuid4().hex}", task_queue=WORKFLOW_QUEUE)


async def told_by(handle: Handle) -> Told | None:
    found: Told | None = await (await handle.describe()).memo_value(CODING_TOLD_MEMO, default=None, type_hint=Told)
    return found


def replies(world: CodingWorld) -> list[tuple[str, str, int]]:
    """List text, notice and number of spoken sentences of each reply."""
    asked: list[ReplyRequest] = world.asked("reply")
    return [(reply.text, reply.notice.key if reply.notice else "", len(reply.speech)) for reply in asked]


async def test_a_chat_gets_summary_speech_and_files(world: CodingWorld, client: Client) -> None:
    handle = await start(client, report_form={"voice": "en_US-joe-medium", "language": "fr"})
    report = await handle.result()
    assert (report.outcome, report.summary) == (CodingOutcome.FINISHED, "It adds up now.")
    assert [name for name, _ in world.calls][-5:] == ["compare", "present", "synthesize", "reply", "send_file"]
    (presented,) = world.asked("present")
    assert (presented.owner, presented.paths, presented.changed) == (
        Owner(platform=PLATFORM, chat="1", thread="5"),
        ("calc.py",),
        1,
    )
    assert (presented.likely_languages, presented.workspace) == (("fr", "de"), report.workspace)
    (spoken,) = world.asked("synthesize")
    assert (spoken.chat, spoken.thread, spoken.text, spoken.language, spoken.voice) == (
        *("1", "5", "It adds up now.", "en", "en_US-joe-medium"),
    )
    (reply,) = world.asked("reply")
    assert (reply.to, reply.text, reply.speech) == (TO, report.summary, (stored("speech", "ogg"),))
    assert reply.notice == Notice(key="code-finished", params={"elapsed_seconds": report.seconds, "why": ""})
    (file,) = world.asked("send_file")
    assert file == FileRequest(to=TO, name="calc.py", file=stored("calc.py", "file"))
    told = await told_by(handle)
    assert told == Told(
        task="Make calc.py add up.",
        text=report.summary,
        notice=reply.notice,
        reply=stored("reply", "ogg"),
        files=(ToldFile(name="calc.py", file=file.file),),
    )


async def test_what_was_told_stands_nowhere_in_clear(world: CodingWorld, client: Client) -> None:
    handle = await start(client, task="Write zanzibar.py.")
    assert (await handle.result()).summary == "It adds up now."
    described = str((await handle.describe()).raw_description)
    assert CODING_TOLD_MEMO in described
    assert not [word for word in ("zanzibar", "adds up", "calc.py") if word in described]


async def test_a_chat_that_reads_only_gets_no_speech(world: CodingWorld, client: Client) -> None:
    await (await start(client, report_form={"spoken": False})).result()
    assert replies(world) == [("It adds up now.", "code-finished", 0)]
    assert (len(world.asked("synthesize")), len(world.asked("send_file"))) == (0, 1)


async def test_nobody_is_told_of_a_task_that_no_chat_gave(world: CodingWorld, client: Client) -> None:
    await (await start(client, report_to=None)).result()
    assert not {"present", "synthesize", "reply", "send_file"} & {name for name, _ in world.calls}


async def test_what_was_done_comes_with_the_reason_why_it_is_not_finished(world: CodingWorld, client: Client) -> None:
    world.steps = [Step("write", f"write {number}", changes=True, told=f"{number}") for number in range(9)]
    world.verified = world.verified.model_copy(update={"passed": False})
    report = await (await start(client, limits={"steps": 3})).result()
    (reply,) = world.asked("reply")
    assert reply.notice == Notice(
        key="code-unfinished", params={"elapsed_seconds": report.seconds, "why": "limit-steps"}
    )
    assert (reply.text, len(world.asked("send_file"))) == ("", 1)


async def test_a_task_that_fails_is_told_and_fails_as_it_would(world: CodingWorld, client: Client) -> None:
    world.behaviours["think"] = refuse(ErrorCode.MODEL_REFUSED)
    handle = await start(client)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert replies(world) == [("", "code-failed", 0)]
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED


async def test_a_cancelled_task_is_told_with_what_was_done(world: CodingWorld, client: Client) -> None:
    began = asyncio.Event()
    world.behaviours["act"] = hold_step(3, began, asyncio.Event())
    handle = await start(client)
    await asyncio.wait_for(began.wait(), 20)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert replies(world) == [("", "code-cancelled", 0)]
    assert len(world.asked("send_file")) == 1
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_a_forgotten_task_ends_and_says_nothing(world: CodingWorld, client: Client) -> None:
    began = asyncio.Event()
    world.behaviours["act"] = hold_step(3, began, asyncio.Event())
    handle = await start(client)
    await asyncio.wait_for(began.wait(), 20)
    await handle.signal(CodingTask.forget)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert not {"compare", "present", "reply", "send_file"} & {name for name, _ in world.calls}


async def test_a_task_that_is_cancelled_while_it_tells_ends_as_it_was_about_to(
    world: CodingWorld, client: Client
) -> None:
    began = asyncio.Event()

    async def hang(_request: object) -> None:
        began.set()
        await hold_step(1, began, asyncio.Event())(type("Step", (), {"step": 1})())

    world.behaviours["reply"] = hang
    handle = await start(client)
    await asyncio.wait_for(began.wait(), 20)
    await handle.cancel()
    assert (await handle.result()).outcome is CodingOutcome.FINISHED
    assert not world.asked("send_file")
    assert await told_by(handle) is None


async def test_speech_that_fails_leaves_the_text(world: CodingWorld, client: Client) -> None:
    world.behaviours["synthesize"] = refuse(ErrorCode.VOICE_UNAVAILABLE)
    await (await start(client)).result()
    assert replies(world) == [("It adds up now.", "code-finished", 0)]
    assert len(world.asked("send_file")) == 1


async def test_without_a_sandbox_worker_there_is_the_text(world: CodingWorld, client: Client) -> None:
    world.behaviours["present"] = refuse(ErrorCode.INTERNAL)
    handle = await start(client)
    assert (await handle.result()).outcome is CodingOutcome.FINISHED
    assert (replies(world), world.asked("send_file")) == ([("It adds up now.", "code-finished", 0)], [])


async def test_files_that_are_refused_are_named(world: CodingWorld, client: Client) -> None:
    async def present(_request: object) -> Presented:
        files = [PresentedFile(name=name, file=stored(name, "file")) for name in ("a.py", "b.zip", "c.py")]
        return Presented(files=tuple(files))

    async def send(request: FileRequest) -> None:
        if request.name != "a.py":
            raise BadInputError(ErrorCode.REPLY_FAILED, "scripted")

    world.behaviours |= {"present": present, "send_file": send}
    handle = await start(client)
    await handle.result()
    assert [reply.notice for reply in world.asked("reply")][1:] == [
        Notice(key="code-unsent", params={"names": "b.zip, c.py"})
    ]
    told = await told_by(handle)
    assert told
    assert [file.name for file in told.files] == ["a.py"]


async def test_a_chat_that_is_gone_changes_nothing(world: CodingWorld, client: Client) -> None:
    world.behaviours["reply"] = refuse(ErrorCode.CHAT_GONE)
    handle = await start(client)
    assert (await handle.result()).outcome is CodingOutcome.FINISHED
    assert not world.asked("send_file")
    assert await told_by(handle) is None


async def test_only_files_that_are_there_are_presented(world: CodingWorld, client: Client) -> None:
    async def compare(_request: CompareRequest) -> Comparison:
        kinds = ("added", "changed", "deleted", "link", "mode")
        files = tuple(ChangedFile(path=kind, kind=kind, added=1, removed=0) for kind in kinds)
        return Comparison(patch=stored("changes", "patch"), files=files, changed=5, added=5, removed=0)

    world.behaviours["compare"] = compare
    await (await start(client)).result()
    (presented,) = world.asked("present")
    assert (presented.paths, presented.changed) == (("added", "changed"), 5)


@pytest.mark.parametrize("outcome", [outcome for outcome in CodingOutcome if outcome is not CodingOutcome.RUNNING])
@pytest.mark.parametrize("passed", [True, False, None])
def test_every_end_has_a_sentence(outcome: CodingOutcome, passed: bool | None) -> None:
    assert notice_of(CodingReport(outcome=outcome, tests_passed=passed)).key in _texts("en")
