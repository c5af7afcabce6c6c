"""A task's store, and the real sandbox."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
from temporalio.testing import ActivityEnvironment

from activities.blobs import BlobStore
from activities.coding.act import Acted, ActRequest, SandboxActivities
from activities.coding.running import Runner
from activities.coding.storage import CodingStorage, Owner, Transcripts
from activities.sandbox.archive import Archive
from activities.sandbox.bubblewrap import BubblewrapSandboxes
from activities.sandbox.sandbox import SandboxLimits
from activities.values import BlobRef
from agent.actions import Action
from agent.transcript import Entry, Observation, Task, Turn

OWNER = Owner(chat="a-task")
LIMITS = SandboxLimits(
    memory_bytes=256 << 20, processes=32, workspace_bytes=4 << 20, workspace_files=200, output_bytes=20_000, seconds=20
)


@dataclass
class StartedTask:
    """A task in the middle of its steps."""

    storage: CodingStorage
    transcripts: Transcripts
    runner: Runner

    async def begin(self, files: Mapping[str, str], test_command: str | None = None) -> tuple[BlobRef, BlobRef]:
        """Store a transcript and a workspace."""
        archive = Archive(*self.runner.workspace_limits)
        for path, content in files.items():
            archive.write(path, content.encode())
        task = Task(text="Do it.", test_command=test_command, files=tuple(sorted(files)))
        transcript = await self.transcripts.append(OWNER, None, (task,))
        return transcript, await self.storage.put_workspace(OWNER, archive.dump())

    async def act(self, transcript: BlobRef, workspace: BlobRef, action: Action, step: int = 1) -> Acted:
        """Have the model want this, and do it."""
        turn = Turn(step=step, text="", action=action)
        transcript = await self.transcripts.append(OWNER, transcript, (turn,))
        request = ActRequest(owner=OWNER, step=step, transcript=transcript, workspace=workspace)
        activities = SandboxActivities(self.storage, self.transcripts, self.runner)
        return await ActivityEnvironment().run(activities.act, request)

    async def told(self, acted: Acted) -> str:
        """Return what the model is told of a step."""
        last: Entry = (await self.transcripts.read(acted.transcript))[-1]
        assert isinstance(last, Observation)
        return last.text

    async def files(self, workspace: BlobRef) -> dict[str, str]:
        """Read a workspace."""
        archive = await self.runner.load(await self.storage.get(workspace, 10_000_000))
        return {path: archive.read(path).decode() for path in archive.paths()}


@pytest.fixture(scope="session")
async def sandboxes() -> AsyncIterator[BubblewrapSandboxes]:
    """The embedded backend."""
    sandboxes = BubblewrapSandboxes(uid=62001, slots=2)
    yield sandboxes
    await sandboxes.reap()


@pytest.fixture
def task(sandboxes: BubblewrapSandboxes) -> StartedTask:
    """A task that has not begun."""
    storage = CodingStorage(BlobStore.open("memory://"))
    return StartedTask(storage, Transcripts(storage), Runner(sandboxes, LIMITS))
