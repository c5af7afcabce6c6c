"""A coding task's world: model and sandbox replaced by name, each step scripted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.coding.act import Acted, ActRequest, Verified, VerifyRequest
from activities.coding.compare import ChangedFile, CompareRequest, Comparison
from activities.coding.prepare import Prepared, PrepareRequest
from activities.coding.present import Presented, PresentedFile, PresentRequest, SummarySentence
from activities.coding.think import ThinkRequest, Thought
from activities.reply import Delivered, FileDelivered, FileRequest, ReplyRequest
from activities.synthesize import Speech, SynthesizeRequest
from activities.values import BlobRef
from tests.support.world import HEARTBEAT_TIMEOUT, PLATFORM, POLLERS
from workflows.access.workflow import Access
from workflows.coding.workflow import CodingTask
from workflows.names import CPU_QUEUE, GPU_QUEUE, SANDBOX_QUEUE, WORKFLOW_QUEUE, platform_queue

ISOLATION = "scripted, no network"
Behaviour = Callable[[Any], Awaitable[Any]]


class Step(NamedTuple):
    """What the model does, and what comes of it."""

    tool: str
    """Empty where the model gives nothing that is an action."""
    line: str = ""
    """The action in a line; the tool's name, if empty."""
    told: str = "Exit code 0"
    """What came of it, in a line."""
    changes: bool = False
    """Whether the workspace is another one afterwards."""
    tests_passed: bool | None = None
    done: bool = False
    summary: str = ""
    tokens: int = 110
    """Read and written, 10 of them written."""


FINISH = Step("finish", told="2 passed", tests_passed=True, done=True, summary="It adds up now.")
STEPS = (
    Step("read", "read calc.py", "1 line"),
    Step("write", "write calc.py", "1 failed, 1 passed", changes=True, tests_passed=False),
    Step("run_tests", told="2 passed", tests_passed=True),
    FINISH,
)
"""A small task that ends well."""


def stored(name: str, ending: str = "tar") -> BlobRef:
    """Make a reference to what nobody reads."""
    return BlobRef(key=f"code/test/{name}.{ending}", mime="application/x-tar", bytes=100, seconds=0, sample_rate=0)


@dataclass
class CodingWorld:
    """Scripted activities. ``steps`` is what the model does, the last again and again; ``behaviours`` overrides one.

    A behaviour that returns None leaves the answer as it would be.
    """

    steps: Sequence[Step] = STEPS
    verified: Verified = field(default_factory=lambda: Verified(passed=True, line="2 passed"))
    calls: list[tuple[str, Any]] = field(default_factory=list)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)

    def reset(self) -> None:
        """Drop what was asked, and what was scripted: for the next test with the same workers."""
        self.steps, self.verified = STEPS, Verified(passed=True, line="2 passed")
        self.calls.clear()
        self.behaviours.clear()

    def asked(self, name: str) -> list[Any]:
        """List the requests that an activity got, in order."""
        return [request for called, request in self.calls if called == name]

    def step(self, number: int) -> Step:
        """Return what is done in a step, from 1."""
        return self.steps[min(number, len(self.steps)) - 1]

    async def _play(self, name: str, request: Any, default: Any) -> Any:  # noqa: ANN401 - any activity's types
        self.calls.append((name, request))
        behaviour = self.behaviours.get(name)
        answer = await behaviour(request) if behaviour else None
        return default if answer is None else answer

    @activity.defn(name="prepare")
    async def prepare(self, request: PrepareRequest) -> Prepared:
        """Take the workspace that is asked for; its two files are nobody's."""
        workspace = request.workspace or stored("baseline")
        default = Prepared(
            workspace=workspace, transcript=stored("transcript-0", "jsonl"), files=2, isolation=ISOLATION
        )
        answer: Prepared = await self._play("prepare", request, default)
        return answer

    @activity.defn(name="think")
    async def think(self, request: ThinkRequest) -> Thought:
        """Do what the script says."""
        step = self.step(request.step)
        default = Thought(
            transcript=stored(f"transcript-{request.step}-thought", "jsonl"),
            tool=step.tool,
            line=step.line or step.tool,
            digest=f"{step.tool} {step.line}".strip() if step.tool else "",
            summary=step.summary,
            model="scripted",
            prompt_tokens=step.tokens - 10,
            completion_tokens=10,
            seconds=0.5,
        )
        answer: Thought = await self._play("think", request, default)
        return answer

    @activity.defn(name="act")
    async def act(self, request: ActRequest) -> Acted:
        """Have the step come out as the script says."""
        step = self.step(request.step)
        default = Acted(
            transcript=stored(f"transcript-{request.step}", "jsonl"),
            workspace=stored(f"workspace-{request.step}") if step.changes else request.workspace,
            line=step.told,
            digest=step.told,
            tests_passed=step.tests_passed,
            done=step.done,
            seconds=0.25,
        )
        answer: Acted = await self._play("act", request, default)
        return answer

    @activity.defn(name="verify")
    async def verify(self, request: VerifyRequest) -> Verified:
        """Have the tests come out as the script says."""
        answer: Verified = await self._play("verify", request, self.verified)
        return answer

    @activity.defn(name="compare")
    async def compare(self, request: CompareRequest) -> Comparison:
        """Find one changed file where the workspace is another one."""
        changed = (ChangedFile(path="calc.py", kind="changed", added=1, removed=1),)
        files = changed if request.before != request.after else ()
        default = Comparison(
            patch=stored("changes", "patch"), files=files, changed=len(files), added=len(files), removed=len(files)
        )
        answer: Comparison = await self._play("compare", request, default)
        return answer

    @activity.defn(name="present")
    async def present(self, request: PresentRequest) -> Presented:
        """Present the summary as one sentence, and the files that were changed."""
        sentences = (SummarySentence(text=request.summary, language="en"),) if request.summary else ()
        files = tuple(PresentedFile(name=path, file=stored(path, "file")) for path in request.paths)
        answer: Presented = await self._play("present", request, Presented(sentences=sentences, files=files))
        return answer

    @activity.defn(name="synthesize")
    async def synthesize(self, request: SynthesizeRequest) -> Speech:
        """Speak nothing."""
        answer: Speech = await self._play("synthesize", request, Speech(audio=stored("speech", "ogg"), engine_ms=1))
        return answer

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Delivered:
        """Deliver to nobody."""
        spoken = stored("reply", "ogg") if request.speech else None
        default = Delivered(text="sent", text_message="1", voice="sent" if spoken else "none", audio=spoken)
        answer: Delivered = await self._play("reply", request, default)
        return answer

    @activity.defn(name="send_file")
    async def send_file(self, request: FileRequest) -> FileDelivered:
        """Send to nobody."""
        answer: FileDelivered = await self._play("send_file", request, FileDelivered(state="sent"))
        return answer


@asynccontextmanager
async def coding(
    client: Client, world: CodingWorld, without: Sequence[str] = (), platform: str = PLATFORM
) -> AsyncIterator[CodingWorld]:
    """Run workers for all queues that a task needs, but those in ``without``."""
    queues: dict[str, dict[str, Any]] = {
        WORKFLOW_QUEUE: {"workflows": [Access, CodingTask]},
        GPU_QUEUE: {"activities": [world.think]},
        SANDBOX_QUEUE: {"activities": [world.prepare, world.act, world.verify, world.compare, world.present]},
        CPU_QUEUE: {"activities": [world.synthesize]},
        platform_queue(platform): {"activities": [world.reply, world.send_file]},
    }
    async with AsyncExitStack() as stack:
        for queue, holds in queues.items():
            if queue not in without:
                worker = Worker(
                    client, task_queue=queue, max_heartbeat_throttle_interval=HEARTBEAT_TIMEOUT, **POLLERS, **holds
                )
                await stack.enter_async_context(worker)
        yield world


def hold_step(number: int, began: asyncio.Event, go_on: asyncio.Event) -> Behaviour:
    """Behave, as ``act`` or ``think``, normally but for one step, which waits until it may go on or is cancelled."""

    async def behaviour(request: ActRequest | ThinkRequest) -> None:
        if request.step == number:
            began.set()
            while not go_on.is_set():
                activity.heartbeat()
                await asyncio.sleep(0.05)

    return behaviour
