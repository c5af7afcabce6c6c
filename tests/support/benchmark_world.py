"""A benchmark's world: data, model and sandbox replaced by name, what comes of each task scripted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.complete import Completed, CompleteRequest
from activities.benchmarks.judge import Scored, ScoreRequest
from activities.benchmarks.pin_model import PinModelRequest, PinnedModel
from activities.benchmarks.plan import Planned, PlanRequest, choose
from activities.benchmarks.record import RecordRequest
from activities.benchmarks.report import Reported, ReportRequest
from activities.benchmarks.set_up import SetUp, SetUpRequest
from activities.speech.requests import MeasureRequest
from activities.synthesize import Speech
from activities.values import BlobRef
from tests.support.coding_world import CodingWorld, stored
from tests.support.world import HEARTBEAT_TIMEOUT, POLLERS
from workflows.benchmarks.attempt import AttemptWorkflow
from workflows.benchmarks.workflow import Benchmark
from workflows.coding.workflow import CodingTask
from workflows.names import CPU_QUEUE, GPU_QUEUE, SANDBOX_QUEUE, WORKFLOW_QUEUE

Behaviour = Callable[[Any], Awaitable[Any]]
ISOLATION = "scripted, no network"
SOLVED = Scored(outcome=AttemptOutcome.SOLVED, passed=3, total=3, patch=stored("changes", "patch"), seconds=0.2)
WRONG = Scored(outcome=AttemptOutcome.WRONG, why="1 of 3 checks passed.", passed=1, total=3, seconds=0.2)


def with_score(score: str) -> Reported:
    """Return a report with this score."""
    return Reported(
        score=score,
        results_jsonl=stored("results", "jsonl"),
        report_json=stored("report", "json"),
        report_html=stored("report", "html"),
    )


SAID = Speech(audio=stored("said", "ogg"), engine_ms=1)


@dataclass
class BenchmarkWorld:
    """Scripted activities. Every third task is wrong; ``behaviours`` overrides one.

    A behaviour that returns None leaves the answer as it would be.
    """

    tasks: tuple[str, ...] = tuple(f"Set/{number}" for number in range(6))
    calls: list[tuple[str, Any]] = field(default_factory=list)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    recorded: dict[str, tuple[Attempt, ...]] = field(default_factory=dict)
    """By key."""
    agent: CodingWorld = field(default_factory=CodingWorld)

    def asked(self, name: str) -> list[Any]:
        """List the requests that an activity got, in order."""
        return [request for called, request in self.calls if called == name]

    async def _play(self, name: str, request: Any, default: Any) -> Any:  # noqa: ANN401 - any activity's types
        self.calls.append((name, request))
        behaviour = self.behaviours.get(name)
        answer = await behaviour(request) if behaviour else None
        return default if answer is None else answer

    @activity.defn(name="plan")
    async def plan(self, request: PlanRequest) -> Planned:
        """Choose among the scripted tasks."""
        planned: Planned = await self._play("plan", request, None) or self._planned(request)
        return planned

    @activity.defn(name="plan_speech")
    async def plan_speech(self, request: PlanRequest) -> Planned:
        """Choose among the scripted tasks."""
        planned: Planned = await self._play("plan_speech", request, None) or self._planned(request)
        return planned

    def _planned(self, request: PlanRequest) -> Planned:
        return Planned(
            data_sha256="0" * 64,
            tasks=choose(request.data_set, self.tasks, request.tasks, request.first),
            prompts=stored("prompts", "jsonl"),
            isolation=ISOLATION,
            code_version="1, commit 2",
            machine="a machine",
        )

    @activity.defn(name="pin_model")
    async def pin_model(self, request: PinModelRequest) -> PinnedModel:
        """Serve whatever model is asked for."""
        model = request.model or "scripted"
        default = PinnedModel(model=model, sha256="1" * 64, server="script 1", top_p=0.95, machine="a machine")
        answer: PinnedModel = await self._play("pin_model", request, default)
        return answer

    @activity.defn(name="complete")
    async def complete(self, request: CompleteRequest) -> Completed:
        """Answer as a model would that knows everything."""
        default = Completed(
            answer=stored(f"answer-{len(self.calls)}", "md"),
            finish_reason="stop",
            prompt_tokens=100,
            completion_tokens=20,
            seconds=1.5,
        )
        answer: Completed = await self._play("complete", request, default)
        return answer

    @activity.defn(name="set_up")
    async def set_up(self, request: SetUpRequest) -> SetUp:
        """Store nothing."""
        answer: SetUp = await self._play("set_up", request, SetUp(text="Do it.", workspace=stored("baseline")))
        return answer

    @activity.defn(name="score")
    async def score(self, request: ScoreRequest) -> Scored:
        """Find every third task wrong."""
        wrong = self.tasks.index(request.task) % 3 == 2
        answer: Scored = await self._play("score", request, WRONG if wrong else SOLVED)
        return answer

    @activity.defn(name="record")
    async def record(self, request: RecordRequest) -> BlobRef:
        """Remember the attempts."""
        ref = stored(f"results-{len(self.recorded)}", "jsonl")
        answer: BlobRef = await self._play("record", request, ref)
        self.recorded[answer.key] = request.attempts
        return answer

    @activity.defn(name="report")
    async def report(self, request: ReportRequest) -> Reported:
        """Count what is solved, and store nothing."""
        attempts = self.reported(request)
        score = f"{sum(attempt.outcome is AttemptOutcome.SOLVED for attempt in attempts)} of {len(attempts)}"
        answer: Reported = await self._play("report", request, with_score(score))
        return answer

    def reported(self, request: ReportRequest) -> list[Attempt]:
        """List the attempts that are to be reported."""
        return [attempt for ref in request.results for attempt in self.recorded[ref.key]]

    @activity.defn(name="measure")
    async def measure(self, request: MeasureRequest) -> Attempt:
        """Measure a constant."""
        default = Attempt(task=request.task, sample=request.sample, outcome=AttemptOutcome.MEASURED, figures={"wer": 0})
        answer: Attempt = await self._play("measure", request, default)
        return answer

    @activity.defn(name="say")
    async def say(self, request: MeasureRequest) -> Speech:
        """Say something."""
        answer: Speech = await self._play("say", request, SAID)
        return answer

    @activity.defn(name="measure_turns")
    async def measure_turns(self, request: MeasureRequest) -> Attempt:
        """Measure a constant."""
        default = Attempt(task=request.task, outcome=AttemptOutcome.MEASURED, figures={"turns.said": 1})
        answer: Attempt = await self._play("measure_turns", request, default)
        return answer


@asynccontextmanager
async def benchmarks(client: Client, world: BenchmarkWorld) -> AsyncIterator[BenchmarkWorld]:
    """Run workers for all queues that a run needs."""
    agent = world.agent
    queues: dict[str, dict[str, Any]] = {
        WORKFLOW_QUEUE: {
            "workflows": [AttemptWorkflow, Benchmark, CodingTask],
            "activities": [world.measure_turns],
        },
        CPU_QUEUE: {"activities": [world.say]},
        GPU_QUEUE: {"activities": [world.pin_model, world.complete, world.plan_speech, world.measure, agent.think]},
        SANDBOX_QUEUE: {
            "activities": [
                *(world.plan, world.set_up, world.score, world.record, world.report),
                *(agent.prepare, agent.act, agent.verify, agent.compare),
            ]
        },
    }
    async with AsyncExitStack() as stack:
        for queue, holds in queues.items():
            worker = Worker(
                client, task_queue=queue, max_heartbeat_throttle_interval=HEARTBEAT_TIMEOUT, **POLLERS, **holds
            )
            await stack.enter_async_context(worker)
        yield world


def until_set(go_on: asyncio.Event) -> Behaviour:
    """Behave normally, but not before the event is set."""

    async def behaviour(_request: object) -> None:
        while not go_on.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)

    return behaviour
