"""Where a benchmark stands: what was pinned, what is under way, what has come of it."""

from collections import Counter
from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.benchmarks.attempts import FAULTS, Attempt, AttemptOutcome, Mode, Pinned
    from activities.benchmarks.pin_model import PinnedModel
    from activities.benchmarks.plan import Planned
    from activities.benchmarks.report import Reported
    from activities.values import BlobRef
    from workflows.benchmarks.contracts import (
        MAX_PARALLEL,
        AttemptRequest,
        BenchmarkReport,
        BenchmarkRequest,
        BenchmarkStatus,
        Carried,
        RunOutcome,
    )
    from workflows.coding.stopwatch import Stopwatch

LAST = 10
SHOWN_RUNNING = 32


class BenchmarkState:
    """What a run's workflow knows."""

    def __init__(self, request: BenchmarkRequest, run: str, now: datetime) -> None:
        """Begin, or take up what the run before has handed on.

        Args:
            request: what to run.
            run: its name, as keys of the store have it.
            now: by the workflow's clock.

        """
        carried = request.carried
        self.request = request
        self.run = run
        self.pinned = carried.pinned if carried else None
        self.next = carried.done if carried else 0
        """Number of the attempt that begins next, in the order of tasks and then samples."""
        self.running: dict[int, AttemptRequest] = {}
        self.ended: list[Attempt] = []
        """In this run of the workflow; those before are in ``results``."""
        self.results = carried.results if carried else ()
        self.parallel = carried.parallel if carried else request.parallel
        self.paused = bool(carried and carried.paused)
        self.report: BenchmarkReport | None = None
        self.stopwatch = Stopwatch(now, carried.seconds if carried else 0.0)
        self._counts: Counter[AttemptOutcome] = Counter(carried.counts if carried else {})
        self._tokens = carried.tokens if carried else 0
        self._last = carried.last if carried else ()
        self._before = carried.done if carried else 0

    @property
    def there(self) -> Pinned:
        """What was pinned; it is there once a run is planned."""
        if self.pinned is None:
            raise RuntimeError("the run is not planned")
        return self.pinned

    @property
    def planned(self) -> int:
        """Attempts in all."""
        return len(self.pinned.tasks) * self.pinned.samples if self.pinned else 0

    @property
    def done(self) -> int:
        """Attempts that have ended."""
        return self._before + len(self.ended)

    @property
    def counts(self) -> dict[AttemptOutcome, int]:
        """Attempts by what came of them, in the order of the classes."""
        return {outcome: self._counts[outcome] for outcome in AttemptOutcome if self._counts[outcome]}

    @property
    def tokens(self) -> int:
        """Read and written by the model."""
        return self._tokens

    @property
    def last(self) -> tuple[Attempt, ...]:
        """The last ten that have ended, the newest last."""
        return (*self._last, *self.ended)[-LAST:]

    @property
    def may_begin(self) -> bool:
        """Whether another attempt may begin now."""
        return not self.paused and len(self.running) < self.parallel

    def pin(self, planned: Planned, model: PinnedModel | None, now: datetime) -> None:
        """Hold fast all that decides the results.

        Args:
            planned: tasks and data.
            model: None for speech and turns, whose plan tells it.
            now: by the workflow's clock.

        """
        request = self.request
        machine = planned.machine
        if model and model.machine != machine:
            machine = f"{machine}; the model's worker: {model.machine}"
        self.pinned = Pinned(
            run=self.run,
            data_set=request.data_set,
            data_sha256=planned.data_sha256,
            tasks=planned.tasks,
            samples=request.samples,
            mode=request.mode,
            model=model.model if model else planned.model or request.model or "",
            model_sha256=model.sha256 if model else planned.model_sha256,
            server=model.server if model else planned.server,
            temperature=request.temperature,
            top_p=model.top_p if model else None,
            top_k=model.top_k if model else None,
            answer_tokens=request.answer_tokens,
            thinking_tokens=model.thinking_tokens if model else 0,
            seed=request.seed,
            limits={name: float(value) for name, value in request.limits if isinstance(value, int | float)}
            if request.mode is Mode.AGENT
            else {},
            options=request.options,
            code_version=planned.code_version,
            isolation=planned.isolation,
            machine=machine,
            started=now,
            prompts=planned.prompts,
        )

    def begin(self) -> tuple[int, AttemptRequest]:
        """Count the next attempt as under way; return its number, and what it is."""
        pinned, number = self.there, self.next
        request = AttemptRequest(
            pinned=pinned.model_copy(update={"tasks": ()}),
            task=pinned.tasks[number // pinned.samples],
            sample=number % pinned.samples,
            limits=self.request.limits,
        )
        self.next += 1
        self.running[number] = request
        return number, request

    def drop(self, number: int) -> None:
        """Forget an attempt that was cut short."""
        self.running.pop(number, None)

    def end_attempt(self, number: int, attempt: Attempt) -> None:
        """Count an attempt that has ended."""
        self.running.pop(number, None)
        self.ended.append(attempt)
        self._counts[attempt.outcome] += 1
        self._tokens += attempt.prompt_tokens + attempt.completion_tokens

    @property
    def pass_rate(self) -> tuple[int, int]:
        """Attempts that are solved, and those of which that can be said: faults are not the submission's."""
        told = sum(
            number
            for outcome, number in self._counts.items()
            if outcome not in {*FAULTS, AttemptOutcome.MEASURED, AttemptOutcome.UNMEASURED}
        )
        return self._counts[AttemptOutcome.SOLVED], told

    def seconds(self, now: datetime) -> float:
        """Return the seconds so far, pauses not counted."""
        return round(self.stopwatch.seconds(now), 1)

    def end(
        self, outcome: RunOutcome, code: str, reason: str, reported: Reported | None, seconds: float
    ) -> BenchmarkReport:
        """Make the report of a run that has taken so many seconds."""
        self.report = BenchmarkReport(
            outcome=outcome,
            code=code,
            reason=reason,
            pinned=self.pinned.model_copy(update={"tasks": ()}) if self.pinned else None,
            attempts=self.done,
            planned=self.planned,
            counts=self.counts,
            seconds=seconds,
            **(dict(reported) if reported else {}),
        )
        return self.report

    def status(self, now: datetime) -> BenchmarkStatus:
        """Return what queries are told."""
        model = self.pinned.model if self.pinned else self.request.model or ""
        return BenchmarkStatus(
            run=self.run,
            mode=self.request.mode,
            data_set=self.request.data_set,
            model=model,
            outcome=self.report.outcome if self.report else RunOutcome.RUNNING,
            paused=self.paused,
            parallel=self.parallel,
            planned=self.planned,
            done=self.done,
            counts=self.counts,
            running=tuple(f"{each.task} #{each.sample}" for each in self.running.values())[:SHOWN_RUNNING],
            tokens=self.tokens,
            last=self.last,
            elapsed_seconds=self.report.seconds if self.report else self.seconds(now),
            report=self.report,
        )

    def set_parallel(self, parallel: int) -> None:
        """Have so many attempts under way at once, from 1 to the most that are allowed."""
        self.parallel = max(1, min(MAX_PARALLEL, parallel))

    def carry(self, results: tuple[BlobRef, ...], now: datetime) -> Carried:
        """Return what the run that goes on needs; none is under way, and all that have ended are in ``results``."""
        return Carried(
            pinned=self.there,
            done=self.done,
            results=results,
            counts=self.counts,
            tokens=self.tokens,
            last=self.last,
            seconds=self.stopwatch.seconds(now),
            parallel=self.parallel,
            paused=self.paused,
        )
