"""What coding tasks store."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.blobs import BlobStore
from activities.coding.storage import CACHED, CodingStorage, Owner, Transcripts
from agent.actions import Run
from agent.transcript import Entry, Observation, Task, Turn

OWNER = Owner(chat="20261127-a1")


@pytest.fixture
def blobs() -> BlobStore:
    return BlobStore.open("memory://")


@pytest.fixture
def storage(blobs: BlobStore) -> CodingStorage:
    return CodingStorage(blobs)


def step(number: int) -> tuple[Entry, ...]:
    turn = Turn(step=number, text="I look.", action=Run(command=f"ls {number}"))
    return turn, Observation(step=number, text=f"files of {number}")


async def test_a_transcript_is_read_as_it_was_written(storage: CodingStorage) -> None:
    written, ref = Transcripts(storage), None
    entries: list[Entry] = [Task(text="Do it.")]
    ref = await written.append(OWNER, None, tuple(entries))
    for number in range(1, 100):
        ref = await written.append(OWNER, ref, step(number))
        entries += step(number)
    assert await written.read(ref) == tuple(entries)
    assert await Transcripts(storage).read(ref) == tuple(entries), "by a worker that has seen nothing of it"


async def test_a_step_stores_what_it_adds(storage: CodingStorage) -> None:
    transcripts = Transcripts(storage)
    ref = await transcripts.append(OWNER, None, (Task(text="x" * 100_000),))
    ref = await transcripts.append(OWNER, ref, step(1))
    assert ref.bytes < 1000


async def test_two_workers_write_one_transcript_in_turns(storage: CodingStorage) -> None:
    thinks, acts = Transcripts(storage), Transcripts(storage)
    ref = await acts.append(OWNER, None, (Task(text="Do it."),))
    for number in range(1, 4):
        turn, observation = step(number)
        await thinks.read(ref)
        ref = await thinks.append(OWNER, ref, (turn,))
        assert (await acts.read(ref))[-1] == turn
        ref = await acts.append(OWNER, ref, (observation,))
    assert len(await thinks.read(ref)) == 7


async def test_two_tasks_that_say_the_same_are_apart(storage: CodingStorage) -> None:
    transcripts = Transcripts(storage)
    first = await transcripts.append(OWNER, None, (Task(text="one"),))
    second = await transcripts.append(OWNER, None, (Task(text="two"),))
    ends = [await transcripts.append(OWNER, ref, step(1)) for ref in (first, second)]
    assert [(await transcripts.read(end))[0] for end in ends] == [Task(text="one"), Task(text="two")]


async def test_memory_is_bounded(storage: CodingStorage) -> None:
    transcripts = Transcripts(storage)
    refs = [await transcripts.append(OWNER, None, (Task(text=f"{number}"),)) for number in range(CACHED + 10)]
    assert len(transcripts._known) == CACHED
    assert (await transcripts.read(refs[0]))[0] == Task(text="0")


async def test_what_is_deleted_is_missing_for_good(storage: CodingStorage, blobs: BlobStore) -> None:
    ref = await storage.put_workspace(OWNER, b"archive")
    assert await storage.get(ref, 100) == b"archive"
    await storage.delete(ref)
    await storage.delete(ref)
    with pytest.raises(ApplicationError) as failed:
        await storage.get(ref, 100)
    assert (failed.value.type, failed.value.non_retryable) == ("workspace-missing", True)


async def test_more_bytes_than_a_workspace_may_have_are_not_read(storage: CodingStorage) -> None:
    ref = await storage.put_workspace(OWNER, b"archive")
    with pytest.raises(ApplicationError) as failed:
        await storage.get(ref, 3)
    assert failed.value.type == "workspace-missing"


async def test_a_chats_files_are_forgotten_with_it(storage: CodingStorage, blobs: BlobStore) -> None:
    await storage.put_workspace(Owner(platform="telegram", chat="7"), b"archive")
    await storage.put_workspace(OWNER, b"archive")
    assert await blobs.delete_chat("telegram", "7") == 1
    assert await blobs.delete_older_than(timedelta(days=-1)) == 1, "others are deleted by their age"
