"""A home of june 0.1.0 goes on working: what was under way is brought to its end, and what was kept is still known.

``tests/data/home-0.1.0.tar.xz`` was written by june 0.1.0 itself, without engines, by a script that

- answered a text and a recording in the chat ``file/ada``, and set this chat's settings between the two;
- answered a text on Telegram, by scripted activities, counted its senders, and let an owner block one, allow one,
  and drain the platform;
- stopped the speech worker (SIGSTOP), sent ``voice-3``, waited until it was to be spoken, and sent ``voice-4``, which
  was transcribed and waited for the turn before it;
- stopped the workflows worker and let the speech worker go on, so that ``voice-3`` had only to be sent, and sent
  ``voice-5`` and the second message on Telegram, which only the server took;
- killed (SIGKILL) every process, itself the last.

Then SQLite's log was merged into the database (``PRAGMA wal_checkpoint(TRUNCATE)``, ``VACUUM``), and the folder packed
without logs, lock and state. Its age does not matter: no step that is looked at has a time limit that began in 0.1.0,
and closed workflows are kept for a hundred years (``JUNE_EMBEDDED_HISTORY_DAYS``).
"""

import tarfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.worker import Replayer

from activities.blobs import BlobStore
from activities.fetch import FetchedAudio, FetchRequest
from activities.infer import InferRequest
from bots import access
from bots.access import Policy
from bots.intake import result_of
from tests.e2e.conftest import without_engines
from tests.support.audio_samples import tone, wav
from tests.support.chat import Chat, activities_of
from tests.support.encryption import opened_history
from tests.support.payloads import payloads_of
from tests.support.planted_words import words_in
from tests.support.waiting import until
from tests.support.world import World, running
from workers.encryption.codec import ENCODING
from workers.engines.noop import ANSWER
from workers.local.stack import Embedded
from workers.roles.workflows import WORKFLOWS
from workers.settings import StorageSettings
from workflows.access.contracts import AccessChange, Permission
from workflows.access.workflow import Access
from workflows.names import CPU_QUEUE, GPU_QUEUE, WORKFLOW_QUEUE, access_id, conversation_id, voice_message_id
from workflows.voice.contracts import ChatSettings, ReplyMode
from workflows.voice.conversation import Conversation

pytestmark = pytest.mark.e2e

OLD_HOME = Path(__file__).resolve().parent.parent / "data" / "home-0.1.0.tar.xz"
LEFT = ("voice-3", "voice-4", "voice-5")
"""Messages that 0.1.0 had not answered: about to be sent, transcribed, only taken by the server."""
SAID, QUESTION = "My name is Ada.", "This is a question."


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """The old home under this june; its audio is as young as on the day on which it was left."""
    home = tmp_path_factory.mktemp("old") / "home"
    with tarfile.open(OLD_HOME) as archive:
        for member in archive.getmembers():
            member.mtime = time.time()
            archive.extract(member, home, filter="data")
    async with without_engines(home) as stack:
        yield stack


@pytest.fixture(scope="module")
async def chat(stack: Embedded) -> Chat:
    """The chat that had three messages left, all of them answered now."""
    chat = Chat(stack, "ada")
    for message in LEFT:
        result = await chat.result(message)
        assert (result.status, result.error, result.answer) == ("answered", None, ANSWER)
    return chat


async def test_what_was_under_way_is_answered_and_nothing_is_done_twice(chat: Chat) -> None:
    assert chat.replies == ["text-1.txt", *(f"voice-{n}.{kind}" for n in (2, 3, 4, 5) for kind in ("ogg", "txt"))]
    ran = activities_of(await opened_history(chat.turn("voice-3")))
    assert [(activity.name, activity.attempt) for activity in ran] == [
        (name, 1) for name in ("fetch", "transcribe", "infer", "synthesize", "reply")
    ]


async def test_a_new_message_is_answered_with_the_old_memory_and_settings(chat: Chat) -> None:
    assert await chat.conversation.query(Conversation.settings) == ChatSettings(
        reply_mode=ReplyMode.ALWAYS, language="en", system_prompt="Be brief."
    )

    async def remembered() -> bool:
        return len((await chat.conversation.query(Conversation.history)).window) == 5

    await until(remembered)
    memory = await chat.conversation.query(Conversation.history)
    window = [(exchange.user, exchange.assistant) for exchange in memory.window]
    assert window == [(SAID, ANSWER), *4 * [(QUESTION, ANSWER)]]
    assert memory.window[0].said_at is None  # 0.1.0 remembered no time
    message = await chat.send(wav(tone(1)))
    assert (await chat.result(message)).status == "answered"
    assert chat.reply(message).read_bytes().startswith(b"OggS")
    (asked,) = [ran for ran in activities_of(await opened_history(chat.turn(message))) if ran.name == "infer"]
    told = [message.content for message in InferRequest.model_validate_json(asked.input).messages]
    assert told[0].startswith("Be brief.")
    assert told[1:] == [SAID, ANSWER, *4 * [QUESTION, ANSWER], QUESTION]


async def test_what_was_in_the_clear_is_read_and_what_is_new_is_encrypted(stack: Embedded, chat: Chat) -> None:
    message = await chat.send(wav(tone(1)))
    await chat.result(message)
    old, new = [
        [
            payload.metadata["encoding"]
            for event in (await chat.turn(name).fetch_history()).events
            if not event.HasField("upsert_workflow_search_attributes_event_attributes")
            for payload in payloads_of(without_search_attributes(event))
        ]
        for name in ("voice-2", message)
    ]
    with tarfile.open(OLD_HOME) as archive:
        database = next(member for member in archive if member.name.endswith("temporal.db"))
        file = archive.extractfile(database)
        assert file
        assert words_in(file.read(), [SAID]) == {SAID}, "the search that finds nothing elsewhere finds it here"
    assert ENCODING not in old
    assert set(new) == {ENCODING}
    assert (stack.home / "keys.json").exists()
    (await chat.conversation.query(Conversation.history)).window[0].user.index("Ada")


def without_search_attributes(event: HistoryEvent) -> HistoryEvent:
    """Leave out what the server itself reads."""
    event.workflow_execution_started_event_attributes.ClearField("search_attributes")
    event.start_child_workflow_execution_initiated_event_attributes.ClearField("search_attributes")
    return event


async def test_a_message_waits_until_its_platform_has_a_worker(stack: Embedded) -> None:
    world, blobs = World(), BlobStore.open(StorageSettings(home=stack.home).blobs)
    sound = await blobs.put(
        "telegram", "70", bytes(32_000), mime="audio/L16", seconds=1, sample_rate=16_000, ending="pcm"
    )

    async def download(_request: FetchRequest) -> FetchedAudio:
        return FetchedAudio(audio=sound)

    world.behaviours["fetch"] = download
    engines = (WORKFLOW_QUEUE, GPU_QUEUE, CPU_QUEUE)
    async with running(stack.client, world, without=engines, platform="telegram"):
        result = await result_of(stack.client, "telegram", "70", "2")
    assert (result.status, result.transcript, result.answer) == ("answered", QUESTION, ANSWER)
    assert [request.source.locator for request in world.asked("fetch")] == ["AwACAgIAAxkB"]
    assert world.answers() == [ANSWER]
    turn = stack.client.get_workflow_handle(voice_message_id("telegram", "70", "2"))
    (asked,) = [ran for ran in activities_of(await opened_history(turn)) if ran.name == "infer"]
    told = [message.content for message in InferRequest.model_validate_json(asked.input).messages]
    assert told[1:] == ["Remember the milk.", ANSWER, QUESTION]
    conversation = stack.client.get_workflow_handle_for(Conversation.run, conversation_id("telegram", "70"))

    async def remembered() -> bool:
        return len((await conversation.query(Conversation.history)).window) == 2

    await until(remembered)


async def test_what_owners_said_still_holds_and_counting_goes_on(stack: Embedded) -> None:
    handle = stack.client.get_workflow_handle_for(Access.run, access_id("telegram"))
    usage = await handle.query(Access.usage)
    assert usage["7"].messages in {1, 3}, "the message that waited is counted, with the two before it on their day"
    view = (await access.read(stack.client, "telegram", Policy())).view
    assert view.standings == {"8": Permission.ALLOWED, "9": Permission.BLOCKED}
    assert view.draining
    view = await handle.execute_update(Access.change, AccessChange(id="9", draining=False))
    assert (view.standings, view.draining) == ({"8": Permission.ALLOWED}, False)


async def test_all_histories_replay(stack: Embedded) -> None:
    found = [execution async for execution in stack.client.list_workflows()]
    assert {execution.workflow_type for execution in found} == {"Access", "Conversation", "VoiceMessage"}
    assert len(found) >= 8, "three turns that had ended, two under way, and the three that never end"
    replayer = Replayer(workflows=WORKFLOWS, data_converter=stack.client.data_converter)
    for execution in found:
        handle = stack.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        await replayer.replay_workflow(await handle.fetch_history())
