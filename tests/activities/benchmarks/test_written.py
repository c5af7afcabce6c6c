"""What attempts have written, read from the store."""

import pytest

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.written import Written, WrittenReader
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Transcripts
from activities.values import BlobRef
from tests.activities.benchmarks.written_runs import transcript

OWNER = owner_of("a-run")


@pytest.fixture
def storage() -> CodingStorage:
    """An empty store."""
    return CodingStorage(BlobStore.open("memory://"))


async def _put(storage: CodingStorage, data: bytes) -> BlobRef:
    return await storage.put(OWNER, data, "text/plain", "txt")


async def test_all_is_read_that_is_stored(storage: CodingStorage) -> None:
    entries = tuple(transcript(3))
    attempt = Attempt(
        task="a",
        outcome=AttemptOutcome.WRONG,
        answer=await _put(storage, b"an answer \xff"),
        checks=await _put(storage, b"a check"),
        transcript=await Transcripts(storage).append(OWNER, None, entries),
    )
    written = await WrittenReader(storage).read(attempt)
    assert written == Written(answer="an answer \ufffd", checks="a check", transcript=entries)


async def test_an_attempt_that_wrote_nothing_lacks_nothing(storage: CodingStorage) -> None:
    assert await WrittenReader(storage).read(Attempt(task="a", outcome=AttemptOutcome.SOLVED)) == Written()


async def test_what_is_stored_no_more_is_missing(storage: CodingStorage) -> None:
    kept = await _put(storage, b"kept")
    elsewhere = CodingStorage(BlobStore.open("memory://"))
    gone = await _put(elsewhere, b"gone")
    attempt = Attempt(task="a", outcome=AttemptOutcome.WRONG, answer=kept, patch=gone, transcript=gone)
    assert await WrittenReader(storage).read(attempt) == Written(answer="kept", missing=True)


async def test_what_is_no_transcript_is_missing(storage: CodingStorage) -> None:
    attempt = Attempt(task="a", outcome=AttemptOutcome.WRONG, transcript=await _put(storage, b'{"no": "entry"}\n'))
    assert await WrittenReader(storage).read(attempt) == Written(missing=True)
