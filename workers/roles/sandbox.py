"""The sandbox worker: what the coding agent does, isolated, and the scoring of benchmarks."""

import logging
from pathlib import Path

from temporalio.client import Client

from activities.benchmarks.judge import ScoreActivity
from activities.benchmarks.plan import PlanActivity
from activities.benchmarks.record import RecordActivity
from activities.benchmarks.report import ReportActivity
from activities.benchmarks.score import Scorer, ScoringLimits
from activities.benchmarks.set_up import SetUpActivity
from activities.benchmarks.task_files import TaskFiles
from activities.blobs import BlobStore
from activities.coding.act import SandboxActivities
from activities.coding.compare import CompareActivity
from activities.coding.prepare import PrepareActivity
from activities.coding.present import PresentActivity
from activities.coding.running import Runner
from activities.coding.storage import CodingStorage, Transcripts
from activities.sandbox.backends import open_backend
from activities.sandbox.sandbox import SandboxError, Sandboxes, SandboxLimits
from activities.text.languages import DetectLanguage
from workers.roles.spec import WorkerSpec
from workers.settings import BenchSettings, CodeSettings, SandboxSettings, StorageSettings

_log = logging.getLogger(__name__)
MIB = 1 << 20


async def build(_client: Client) -> WorkerSpec:
    """Try the isolation that is configured, and remove what dead workers have left.

    Where it is not to be had, the worker refuses each task by the sentence that says what to install or to allow.
    """
    settings, storage = SandboxSettings(), StorageSettings()
    sandboxes = open_sandboxes(settings)
    try:
        isolation = await sandboxes.isolation()
    except SandboxError as error:
        _log.warning("coding tasks are refused: %s", str(error))
    else:
        _log.info("%s: %s", isolation.backend, ", ".join(isolation.holds))
        for lacking in isolation.lacks:
            _log.warning("the sandbox lacks %s", lacking)
        if left := await sandboxes.reap():
            _log.info("removed %d sandboxes of workers that are dead", left)
    stored = CodingStorage(BlobStore.open(storage.blobs))
    transcripts, runner = Transcripts(stored), Runner(sandboxes, limits_of(settings))
    in_sandbox = SandboxActivities(stored, transcripts, runner)
    task_files, limits = TaskFiles(bench_sets()), ScoringLimits(limits_of(settings))
    return WorkerSpec(
        settings.slots,
        [
            PrepareActivity(stored, transcripts, runner, code_roots()).prepare,
            in_sandbox.act,
            in_sandbox.verify,
            CompareActivity(stored, runner.workspace_limits).compare,
            PresentActivity(stored, runner.workspace_limits, load_detector).present,
            PlanActivity(task_files, stored, sandboxes).plan,
            ReportActivity(stored).report,
            SetUpActivity(task_files, stored, runner).set_up,
            ScoreActivity(task_files, stored, Scorer(sandboxes, limits), runner.workspace_limits).score,
            RecordActivity(stored).record,
        ],
    )


def load_detector() -> DetectLanguage:
    """Load what tells the languages of summaries: half a second and 80 MB, which only tasks of chats need."""
    from workers.engines.language_detector import LanguageDetector

    return LanguageDetector().detect


def bench_sets() -> Path | None:
    """Return the file that lists further data sets, if there is one."""
    sets = BenchSettings().sets
    return Path(sets).expanduser() if sets else None


def code_roots() -> list[Path]:
    """Return the folders that workspaces may be copied from."""
    return [Path(root).expanduser() for root in CodeSettings().roots]


def open_sandboxes(settings: SandboxSettings) -> Sandboxes:
    """Return the backend that is configured; nothing is tried yet."""
    return open_backend(
        settings.backend,
        bwrap=settings.bwrap,
        image=settings.image,
        runtime=settings.runtime,
        uid=settings.uid,
        slots=settings.slots,
        packages=settings.packages,
    )


def limits_of(settings: SandboxSettings) -> SandboxLimits:
    """Return what a command may use."""
    return SandboxLimits(
        memory_bytes=settings.memory_mb * MIB,
        processes=settings.processes,
        workspace_bytes=settings.workspace_mb * MIB,
        workspace_files=settings.workspace_files,
        output_bytes=settings.output_kb << 10,
        seconds=settings.seconds,
    )
