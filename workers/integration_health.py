"""Whether the integration tests can be run, and when they last were."""

from datetime import UTC, datetime

from pydantic import BaseModel
from temporalio.client import Client

from workers.integration import ListedRun, latest_by_schedule, running_runs
from workers.queues import living_pollers
from workflows.contracts import TESTS_QUEUE


class TestsHealth(BaseModel):
    """What ``june tests health --json`` tells."""

    __test__ = False  # pytest looks into classes that are named so

    ok: bool
    """A tests worker lives."""
    workers: int
    last_seen_at: datetime | None
    """When a worker last asked for work."""
    running: int
    """Runs under way."""
    last: ListedRun | None
    """The last run that ended."""

    @property
    def sentence(self) -> str:
        """Say it in words."""
        worker = f"{self.workers} tests workers live" if self.ok else "no tests worker lives: june worker tests"
        last = f"the last run {self.last.outcome.value} ({self.last.id})" if self.last else "there was no run yet"
        when = f" {_ago(self.last.ended_at)}" if self.last and self.last.ended_at else ""
        return f"{worker}; {self.running} runs under way; {last}{when}"


async def examine(client: Client) -> TestsHealth:
    """Ask the server for the workers of the queue, and for the runs."""
    pollers = await living_pollers(client, TESTS_QUEUE)
    ended = (await latest_by_schedule(client)).values()
    return TestsHealth(
        ok=bool(pollers),
        workers=len(pollers),
        last_seen_at=max(pollers.values(), default=None),
        running=await running_runs(client),
        last=max(ended, key=lambda run: run.ended_at or run.started_at, default=None),
    )


def _ago(when: datetime) -> str:
    minutes = round((datetime.now(UTC) - when).total_seconds() / 60)
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
