"""Record attempts that have ended, so that a run may go on without them."""

from temporalio import activity

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Attempt
from activities.coding.running import working
from activities.coding.storage import CodingStorage
from activities.values import BlobRef, Value


class RecordRequest(Value):
    """What is to be kept."""

    run: str
    attempts: tuple[Attempt, ...]


class RecordActivity:
    """The activity ``record``."""

    def __init__(self, storage: CodingStorage) -> None:
        """Keep attempts in this storage."""
        self._storage = storage

    @activity.defn
    async def record(self, request: RecordRequest) -> BlobRef:
        """Store attempts as JSON lines; the same again change nothing."""
        async with working():
            data = "\n".join(attempt.model_dump_json() for attempt in request.attempts).encode()
            return await self._storage.put(owner_of(request.run), data, "application/jsonl", "jsonl")
