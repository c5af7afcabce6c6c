"""Run the tests of one module, whatever they do: hang, crash, print without end, or outlive their worker."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from temporalio import activity
from temporalio.service import RPCError

from activities.blobs import BlobStore
from activities.heartbeats import heartbeats
from activities.processes.workspace import Workspace
from activities.testruns.module_attempt import ModuleAttempt, RunModuleRequest
from activities.testruns.results import Artefact, ModuleProgress, ModuleReport
from activities.values import BlobRef, Value

PLATFORM = "tests"
"""Logs and artefacts are stored like the audio of a chat: ``tests/<run id>/…``."""
PACE_SECONDS = 1.0
PACE_OF_ELAPSED = 1 / 50
"""A second between signals, or a fiftieth of the module's time so far: a long module does not fill the history."""
RESULTS_A_SIGNAL = 200
LIVE_LOG_BYTES = 1000
MAX_ARTEFACTS = 20
MAX_ARTEFACT_BYTES = 10_000_000
COUNTER = "june_test_run_tests"


class AttemptProgress(Value):
    """Progress of an attempt: details of its heartbeats, which the next attempt reads."""

    attempt: int
    ended: int = 0
    """Tests."""
    current: str = ""
    notes: tuple[str, ...] = ()


class RunModuleActivity:
    """The activity ``run_module``."""

    def __init__(self, workspace: Workspace, root: Path, blobs: BlobStore) -> None:
        self._workspace = workspace
        self._root = root.resolve()
        self._blobs = blobs
        self._under_way: dict[tuple[str | None, str], asyncio.Task[Any] | None] = {}

    @activity.defn
    async def run_module(self, request: RunModuleRequest) -> ModuleReport:
        """Run the module's tests; one that hangs or crashes is recorded, and the others go on in a new process.

        When the run is cancelled, the report holds what is known by then.
        """
        artefacts = Path(mkdtemp(prefix="artefacts-", dir=self._workspace.folder))
        attempt = ModuleAttempt(self._workspace, self._root, request, artefacts)
        attempt.notes += _notes_of_earlier_attempts()

        def progress() -> list[AttemptProgress]:
            number, ended, notes = activity.info().attempt, len(attempt.results), tuple(attempt.notes)
            return [AttemptProgress(attempt=number, ended=ended, current=attempt.current[:300], notes=notes)]

        try:
            async with heartbeats(progress), self._alone(request.module):
                signalling = asyncio.create_task(_signal_progress(attempt, request.module))
                try:
                    await attempt.run()
                except asyncio.CancelledError:
                    reasons = activity.cancellation_details()
                    if reasons is None or not reasons.cancel_requested:
                        raise  # the worker stops, say, and another attempt begins anew
                    attempt.cancel()
                finally:
                    signalling.cancel()
            report = await self._store(attempt, artefacts)
        finally:
            await asyncio.to_thread(shutil.rmtree, artefacts, ignore_errors=True)
        counter = activity.metric_meter().create_counter(COUNTER, "Integration tests, by outcome")
        for outcome, number in report.counts.items():
            counter.add(number, {"outcome": outcome.value})
        return report

    @asynccontextmanager
    async def _alone(self, module: str) -> AsyncIterator[None]:
        """Cancel an earlier attempt that the server has given up, which this worker has not heard of yet."""
        key, task = (activity.info().workflow_run_id, module), asyncio.current_task()
        earlier, self._under_way[key] = self._under_way.get(key), task
        try:
            if earlier:
                earlier.cancel()
                await asyncio.wait([earlier])
            yield
        finally:
            if self._under_way[key] is task:
                del self._under_way[key]

    async def _store(self, attempt: ModuleAttempt, artefacts: Path) -> ModuleReport:
        """Store log and artefacts, and return the report; a store that fails is no reason to run everything again."""
        log, stored = None, list[Artefact]()
        try:
            log = await self._put(attempt.log.content(), "text/plain", "log")
            files = await asyncio.to_thread(_plain_files, artefacts)
            small = [path for path, size in files if size <= MAX_ARTEFACT_BYTES][:MAX_ARTEFACTS]
            if left_out := len(files) - len(small):
                attempt.notes.append(f"{left_out} artefacts not kept: {MAX_ARTEFACTS} files of 10 MB at most")
            for path in small:
                blob = await self._put(await asyncio.to_thread(path.read_bytes), "application/octet-stream", "bin")
                stored.append(Artefact(name=path.name[:100], blob=blob))
        except Exception as error:  # noqa: BLE001 - whatever ails the store is noted, and logged
            activity.logger.warning("the log was not stored: %s", error)
            attempt.notes.append(f"the log or the artefacts could not be stored: {type(error).__name__}")
        return attempt.report().model_copy(
            update={"log": log, "artefacts": tuple(stored), "attempts": activity.info().attempt}
        )

    async def _put(self, data: bytes, mime: str, ending: str) -> BlobRef:
        run = activity.info().workflow_run_id or "by-hand"
        return await self._blobs.put(PLATFORM, run, data, mime=mime, seconds=0, sample_rate=0, ending=ending)


def _notes_of_earlier_attempts() -> list[str]:
    """Return what became of the attempts before this one."""
    info = activity.info()
    if info.attempt == 1:
        return []
    if not info.heartbeat_details:
        return [f"attempt {info.attempt - 1} was lost before it told anything"]
    last = AttemptProgress.model_validate(info.heartbeat_details[0])
    where = f", in {last.current}" if last.current else ""
    return [*last.notes, f"attempt {last.attempt} was lost with its worker after {last.ended} of its tests{where}"]


async def _signal_progress(attempt: ModuleAttempt, module: str) -> None:
    """Signal new results to the workflow, for as long as the module runs; after a failed signal, with the next."""
    info = activity.info()
    handle = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    signalled, last = 0, None
    while True:
        await asyncio.sleep(max(PACE_SECONDS, attempt.seconds * PACE_OF_ELAPSED))
        state = (len(attempt.results), attempt.current, attempt.found, attempt.log.written)
        if state == last:
            continue
        news = ModuleProgress(
            module=module,
            attempt=info.attempt,
            found=attempt.found,
            cases=tuple(attempt.results[signalled : signalled + RESULTS_A_SIGNAL]),
            current=attempt.current[:300],
            log_end=attempt.log.end(LIVE_LOG_BYTES),
        )
        try:
            await handle.signal("progress", news)
        except RPCError as error:
            activity.logger.info("the run could not be told of its progress: %s", error)
            continue
        signalled += len(news.cases)
        last = state if signalled == state[0] else None


def _plain_files(folder: Path) -> list[tuple[Path, int]]:
    """List plain files with their sizes, by name."""
    plain = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.is_symlink()]
    return [(path, path.stat().st_size) for path in plain]
