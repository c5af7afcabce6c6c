"""The real sandbox, and a scorer in it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from activities.benchmarks.attempts import Pinned
from activities.benchmarks.score import Scorer, ScoringLimits
from activities.benchmarks.task_files import TaskFiles
from activities.blobs import BlobStore
from activities.coding.running import Runner
from activities.coding.storage import CodingStorage
from activities.sandbox.bubblewrap import BubblewrapSandboxes
from activities.sandbox.sandbox import SandboxLimits
from agent.tasks.data_sets import find

LIMITS = SandboxLimits(memory_bytes=256 << 20, processes=32, workspace_bytes=4 << 20, workspace_files=200)


@pytest.fixture(scope="session")
async def scorer() -> AsyncIterator[Scorer]:
    """A scorer, whose references run once a session."""
    sandboxes = BubblewrapSandboxes(uid=62101, slots=2)
    yield Scorer(sandboxes, ScoringLimits(LIMITS, least_seconds=2, spare_seconds=3))
    await sandboxes.reap()


@pytest.fixture
def storage() -> CodingStorage:
    """A store of its own."""
    return CodingStorage(BlobStore.open("memory://"))


@pytest.fixture(scope="session")
def task_files() -> TaskFiles:
    """The data sets that come with june."""
    return TaskFiles()


@pytest.fixture(scope="session")
async def runner() -> AsyncIterator[Runner]:
    """Runs commands in the real sandbox."""
    sandboxes = BubblewrapSandboxes(uid=62111, slots=2)
    yield Runner(sandboxes, LIMITS)
    await sandboxes.reap()


def pinned(data_set: str = "humaneval", **fields: object) -> Pinned:
    """Make what a run of this data set has pinned."""
    return Pinned.model_validate(
        {
            "run": "a-run",
            "data_set": data_set,
            "data_sha256": find(data_set).sha256,
            "tasks": (),
            "samples": 1,
            "mode": "completion",
            "model": "scripted",
            "temperature": 0.0,
            "answer_tokens": 100,
            "seed": 3,
            "code_version": "1",
            "machine": "a machine",
            "started": datetime(2026, 1, 1, tzinfo=UTC),
            **fields,
        }
    )
