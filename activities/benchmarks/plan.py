"""Plan a run: which tasks of which data, and what they are judged by and on."""

from pydantic import Field
from temporalio import activity

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Mode, TaskPrompt
from activities.benchmarks.machine import code_version, machine
from activities.benchmarks.task_files import BenchmarkError, TaskFiles
from activities.coding.running import working
from activities.coding.storage import CodingStorage
from activities.sandbox.sandbox import Sandboxes
from activities.values import BlobRef, Value

NAMED = 5


class PlanRequest(Value):
    """What is to be run."""

    run: str
    data_set: str
    mode: Mode
    model: str | None = None
    """None is the worker's."""
    tasks: tuple[str, ...] = ()
    """Ids; none are all."""
    first: int | None = None
    options: dict[str, float | str] = Field(default_factory=dict)
    """Of speech and turns."""
    waits_for_live: bool = True
    """Where live turns are answered as well, which is where speech is planned."""


class Planned(Value):
    """What a run is made of, as far as its data tell."""

    data_sha256: str
    tasks: tuple[str, ...]
    """Ids, in the data set's order."""
    prompts: BlobRef | None = None
    """What the model is asked: JSON lines of ``TaskPrompt``."""
    isolation: str = ""
    code_version: str
    machine: str
    model: str = ""
    """Of speech and turns, whose models the worker that plans them knows; so are the next two."""
    model_sha256: str = ""
    server: str = ""


class PlanActivity:
    """The activity ``plan``, of coding tasks."""

    def __init__(self, task_files: TaskFiles, storage: CodingStorage, sandboxes: Sandboxes) -> None:
        """Read data sets, and store what the model is asked."""
        self._task_files = task_files
        self._storage = storage
        self._sandboxes = sandboxes

    @activity.defn
    async def plan(self, request: PlanRequest) -> Planned:
        """Choose the tasks, and store their prompts.

        Raises:
            BenchmarkError: ``data-set-...``, or ``task-unknown``.
            CodingError: ``sandbox-unavailable``.

        """
        async with working():
            isolation = await self._sandboxes.isolation()
            sha256, known = await self._task_files.read(request.data_set)
            chosen = choose(request.data_set, tuple(known), request.tasks, request.first)
            lines = [TaskPrompt(task=task, prompt=known[task].prompt).model_dump_json() for task in chosen]
            data = "\n".join(lines).encode("utf-8", "replace")
            prompts = await self._storage.put(owner_of(request.run), data, "application/jsonl", "jsonl")
        return Planned(
            data_sha256=sha256,
            tasks=chosen,
            prompts=prompts,
            isolation=", ".join((isolation.backend, *isolation.holds)),
            code_version=code_version(),
            machine=machine(),
        )


def choose(data_set: str, known: tuple[str, ...], wanted: tuple[str, ...], first: int | None) -> tuple[str, ...]:
    """Return the ids of the tasks that are wanted, in the data set's order.

    Raises:
        BenchmarkError: ``task-unknown``.

    """
    if unknown := [task for task in wanted if task not in known]:
        named = ", ".join(unknown[:NAMED])
        raise BenchmarkError("task-unknown", f"{data_set} has no task {named}; its first is {known[0]}.")
    return tuple(task for task in known if not wanted or task in wanted)[:first]
