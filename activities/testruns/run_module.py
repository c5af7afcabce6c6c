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
from activities.testruns.module_attempt import ModuleRun, RunModuleRequest
from activities.testruns.results import Artefact, ModuleProgress, ModuleReport
from activities.values import BlobRef, Value

PLATFORM = "tests"
"""Logs and artefacts lie in the blob store as those of a chat would: ``tests/<run id>/…``."""
PACE_SECONDS = 1.0
PACE_OF_ELAPSED = 1 / 50
"""Between signals is a second, or a fiftieth of the module's time so far: a long one does not fill the history."""
CASES_A_SIGNAL = 200
LIVE_LOG_BYTES = 1000
MAX_ARTEFACTS = 20
MAX_ARTEFACT_BYTES = 10_000_000
COUNTER = "june_test_run_tests"


class AttemptProgress(Value):
    """How far an attempt has come: its heartbeats' details, which the next attempt finds."""

    attempt: int
    ended: int = 0
    """Tests."""
    current: str = ""
    notes: tuple[str, ...] = ()


class RunModuleActivity:
    """The activity ``run_module``."""

    def __init__(self, workspace: Workspace, root: Path, blobs: BlobStore) -> None:
        """Take the place to work in, the tests' folder, and where logs are kept."""
        self._workspace = workspace
        self._root = root.resolve()
        self._blobs = blobs
        self._under_way: dict[tuple[str | None, str], asyncio.Task[Any] | None] = {}

    @activity.defn
    async def run_module(self, request: RunModuleRequest) -> ModuleReport:
        """Run the module's tests; one that hangs or crashes is recorded, and the others go on in a new process.

        When the run is cancelled the report tells how far it came.
        """
        artefacts = Path(mkdtemp(prefix="artefacts-", dir=self._workspace.folder))
        run = ModuleRun(self._workspace, self._root, request, artefacts)
        run.notes += _notes_of_earlier_attempts()
        try:
            async with heartbeats(lambda: [_progress(run)]), self._alone(request.module), _telling(run, request):
                await _play(run)
            report = await self._kept(run, artefacts)
        finally:
            await asyncio.to_thread(shutil.rmtree, artefacts, ignore_errors=True)
        _measure(report)
        return report

    @asynccontextmanager
    async def _alone(self, module: str) -> AsyncIterator[None]:
        """End an earlier attempt that the server has given up, and this worker has not heard of it yet."""
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

    async def _kept(self, run: ModuleRun, artefacts: Path) -> ModuleReport:
        """Store the log and the artefacts, and sum up; a store that fails is no reason to run everything again."""
        log, kept = None, list[Artefact]()
        try:
            log = await self._keep(run.log.content(), "text/plain", "log")
            kept += await self._keep_files(run, artefacts)
        except Exception as error:  # noqa: BLE001 - whatever ails the store is noted, and logged
            activity.logger.warning("the log was not stored: %s", error)
            run.notes.append(f"the log or the artefacts could not be stored: {type(error).__name__}")
        return run.report().model_copy(
            update={"log": log, "artefacts": tuple(kept), "attempts": activity.info().attempt}
        )

    async def _keep_files(self, run: ModuleRun, folder: Path) -> list[Artefact]:
        files = await asyncio.to_thread(_files, folder)
        small = [path for path, size in files if size <= MAX_ARTEFACT_BYTES][:MAX_ARTEFACTS]
        if len(small) < len(files):
            run.notes.append(f"{len(files) - len(small)} artefacts not kept: {MAX_ARTEFACTS} files of 10 MB at most")
        kept = []
        for path in small:
            data = await asyncio.to_thread(path.read_bytes)
            blob = await self._keep(data, "application/octet-stream", "bin")
            kept.append(Artefact(name=path.name[:100], blob=blob))
        return kept

    async def _keep(self, data: bytes, mime: str, ending: str) -> BlobRef:
        run = activity.info().workflow_run_id or "by-hand"
        return await self._blobs.put(PLATFORM, run, data, mime=mime, seconds=0, sample_rate=0, ending=ending)


def _measure(report: ModuleReport) -> None:
    counter = activity.metric_meter().create_counter(COUNTER, "Integration tests, by outcome")
    for outcome, number in report.counts.items():
        counter.add(number, {"outcome": outcome.value})


async def _play(run: ModuleRun) -> None:
    try:
        await run.play()
    except asyncio.CancelledError:
        reasons = activity.cancellation_details()
        if reasons is None or not reasons.cancel_requested:
            raise  # the worker stops, say, and another attempt begins anew
        run.cancel()


def _progress(run: ModuleRun) -> AttemptProgress:
    return AttemptProgress(
        attempt=activity.info().attempt, ended=len(run.cases), current=run.current[:300], notes=tuple(run.notes)
    )


def _notes_of_earlier_attempts() -> list[str]:
    """Say what became of the attempts before this one."""
    info = activity.info()
    if info.attempt == 1:
        return []
    if not info.heartbeat_details:
        return [f"attempt {info.attempt - 1} was lost before it told anything"]
    last = AttemptProgress.model_validate(info.heartbeat_details[0])
    where = f", in {last.current}" if last.current else ""
    return [*last.notes, f"attempt {last.attempt} was lost with its worker after {last.ended} of its tests{where}"]


@asynccontextmanager
async def _telling(run: ModuleRun, request: RunModuleRequest) -> AsyncIterator[None]:
    """Tell the run of each outcome while the module is under way."""
    telling = asyncio.create_task(_tell(run, request.module))
    try:
        yield
    finally:
        telling.cancel()


async def _tell(run: ModuleRun, module: str) -> None:
    """Signal what is new, now and then; what a failed signal told is told again by the next."""
    info = activity.info()
    handle = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    told, last = 0, None
    while True:
        await asyncio.sleep(max(PACE_SECONDS, run.seconds * PACE_OF_ELAPSED))
        state = (len(run.cases), run.current, run.found, run.log.written)
        if state == last:
            continue
        news = ModuleProgress(
            module=module,
            attempt=info.attempt,
            found=run.found,
            cases=tuple(run.cases[told : told + CASES_A_SIGNAL]),
            current=run.current[:300],
            log_end=run.log.end(LIVE_LOG_BYTES),
        )
        try:
            await handle.signal("progress", news)
        except RPCError as error:
            activity.logger.info("the run could not be told of its progress: %s", error)
            continue
        told, last = told + len(news.cases), state if told + len(news.cases) == state[0] else None


def _files(folder: Path) -> list[tuple[Path, int]]:
    """List what tests left to be kept: plain files with their sizes, by name."""
    plain = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.is_symlink()]
    return [(path, path.stat().st_size) for path in plain]
