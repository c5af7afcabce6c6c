"""Report a run: its score, ``report.json``, ``results.jsonl``, and a page of HTML."""

import asyncio
from collections.abc import Sequence

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Attempt, Pinned
from activities.benchmarks.shown_attempts import MAX_SHOWN, AttemptShown, share, show
from activities.benchmarks.summary import Summary, sorted_attempts, summarize
from activities.benchmarks.written import WrittenReader
from activities.coding.storage import CodingStorage
from activities.heartbeats import heartbeats
from activities.values import BlobRef, Value

MAX_RESULTS_BYTES = 64_000_000
"""Of a blob of attempts."""
READ_AT_ONCE = 16
"""Attempts."""
MALFORMED = "results-malformed"
"""Type of the failure for good where results are no attempts."""


class ReportRequest(Value):
    """What to report."""

    pinned: Pinned
    results: tuple[BlobRef, ...]
    """Attempts as JSON lines; of an attempt that is in them twice the last counts."""
    seconds: float
    """That the run has taken, pauses not counted."""
    outcome: str
    """How it ended."""


class Reported(Value):
    """A run's report."""

    score: str
    """In a line: ``pass@1 0.71 (0.64 to 0.78), 164 tasks``."""
    results_jsonl: BlobRef
    """Attempts in the data set's order, each once."""
    report_json: BlobRef
    """A ``Summary``."""
    report_html: BlobRef
    """One file, for which nothing is fetched."""


class ReportActivity:
    """The activity ``report``."""

    def __init__(self, storage: CodingStorage) -> None:
        """Read and store by this storage."""
        self._storage = storage

    @activity.defn
    async def report(self, request: ReportRequest) -> Reported:
        """Store the report of a run. The same attempts give the same files.

        What attempts have written, and is not stored any more, is left out of the page, which says so.

        Raises:
            CodingError: ``workspace-missing``, results are not stored any more.
            ApplicationError: ``results-malformed``, for good.

        """
        owner = owner_of(request.pinned.run)
        async with heartbeats():
            blobs = [await self._storage.get(ref, MAX_RESULTS_BYTES) for ref in request.results]
            attempts, summary = await asyncio.to_thread(_read, blobs, request)
            listed = await self._listed(attempts[:MAX_SHOWN])
            html = await asyncio.to_thread(_page, summary, attempts, listed)
            results_jsonl = await self._storage.put(owner, dump(attempts), "application/jsonl", "jsonl")
            found = summary.model_dump_json(indent=2).encode() + b"\n"
            report_json = await self._storage.put(owner, found, "application/json", "json")
            report_html = await self._storage.put(owner, html, "text/html; charset=utf-8", "html")
        return Reported(
            score=summary.score, results_jsonl=results_jsonl, report_json=report_json, report_html=report_html
        )

    async def _listed(self, attempts: Sequence[Attempt]) -> list[AttemptShown]:
        """Read what attempts have written, some of them at once, and keep of each what the page shows."""
        reader, turn, most = WrittenReader(self._storage), asyncio.Semaphore(READ_AT_ONCE), share(len(attempts))

        async def read(attempt: Attempt) -> AttemptShown:
            async with turn:
                return await asyncio.to_thread(show, attempt, await reader.read(attempt), most)

        return await asyncio.gather(*map(read, attempts))


def dump(attempts: Sequence[Attempt]) -> bytes:
    """Return attempts as JSON lines, each ended by a newline."""
    return b"".join(attempt.model_dump_json().encode() + b"\n" for attempt in attempts)


def load(data: bytes) -> tuple[Attempt, ...]:
    """Read what ``dump`` returned.

    Raises:
        ValidationError: it is something else.

    """
    return tuple(Attempt.model_validate_json(line) for line in data.split(b"\n") if line.strip())


def _read(blobs: Sequence[bytes], request: ReportRequest) -> tuple[tuple[Attempt, ...], Summary]:
    try:
        found = [attempt for blob in blobs for attempt in load(blob)]
    except ValidationError as error:
        message = "The results of the run are no attempts."
        raise ApplicationError(message, type=MALFORMED, non_retryable=True) from error
    attempts = sorted_attempts(found, request.pinned.tasks)
    return attempts, summarize(request.pinned, attempts, request.seconds, request.outcome)


def _page(summary: Summary, attempts: Sequence[Attempt], listed: Sequence[AttemptShown]) -> bytes:
    # Plots and templates: only where a report is made.
    from activities.benchmarks.page import page

    return page(summary, attempts, listed)
