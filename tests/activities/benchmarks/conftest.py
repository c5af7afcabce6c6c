"""The real sandbox, and a scorer in it."""

from collections.abc import AsyncIterator

import pytest

from activities.benchmarks.score import Scorer, ScoringLimits
from activities.sandbox.bubblewrap import BubblewrapSandboxes
from activities.sandbox.sandbox import SandboxLimits

LIMITS = SandboxLimits(memory_bytes=256 << 20, processes=32, workspace_bytes=4 << 20, workspace_files=200)


@pytest.fixture(scope="session")
async def scorer() -> AsyncIterator[Scorer]:
    """A scorer, whose references run once a session."""
    sandboxes = BubblewrapSandboxes(uid=62101, slots=2)
    yield Scorer(sandboxes, ScoringLimits(LIMITS, least_seconds=2, spare_seconds=3))
    await sandboxes.reap()
