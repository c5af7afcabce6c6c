"""What attempts have written is read, as far as it is still stored."""

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.written import Written, WrittenReader
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Owner, Transcripts
from agent.transcript import Task

OWNER = Owner(platform="bench", chat="run")


async def test_what_is_stored_is_read_and_what_is_not_is_told() -> None:
    storage = CodingStorage(BlobStore.open("memory://"))
    answer = await storage.put(OWNER, b"x = 1 \xff", "text/plain", "txt")
    patch = await storage.put(OWNER, b"+x = 1", "text/x-diff", "patch")
    transcript = await Transcripts(storage).append(OWNER, None, (Task(text="Do it."),))
    attempt = Attempt(task="a", outcome=AttemptOutcome.WRONG, answer=answer, patch=patch, transcript=transcript)
    reader = WrittenReader(storage)
    assert await reader.read(attempt) == Written("x = 1 \ufffd", "+x = 1", None, (Task(text="Do it."),))
    await storage.delete(patch)
    read = await reader.read(attempt)
    assert (read.answer, read.patch, read.missing) == ("x = 1 \ufffd", None, True)


async def test_nothing_written_is_nothing_missing() -> None:
    reader = WrittenReader(CodingStorage(BlobStore.open("memory://")))
    assert await reader.read(Attempt(task="a", outcome=AttemptOutcome.NO_SUBMISSION)) == Written()
