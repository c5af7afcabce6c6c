"""A suite as runs see it: the activities that collect and run its modules replaced by name."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from temporalio import activity

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.reply import Delivered, ReplyRequest
from activities.testruns.collect import Collected, CollectRequest, FoundModule
from activities.testruns.module_attempt import RunModuleRequest
from activities.testruns.results import ModuleProgress, ModuleReport, Outcome, count, make_result

Play = Callable[[RunModuleRequest], Awaitable[ModuleReport]]


def report(module: str, *outcomes: Outcome, **fields: object) -> ModuleReport:
    """Make a module's report, a test an outcome."""
    cases = tuple(make_result(f"{module}::test_{n}", outcome, 0.1, "why") for n, outcome in enumerate(outcomes))
    return ModuleReport(
        module=module, cases=cases, counts=count(cases), seconds=0.2, log_end=f"log of {module}\n"
    ).model_copy(update=fields)


@dataclass
class Suite:
    """Modules with two tests each; ``plays`` says how one goes that does not pass."""

    modules: tuple[str, ...] = ("test_a.py", "test_b.py", "test_c.py")
    plays: dict[str, Play] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    most_at_once: int = 0
    told: list[ReplyRequest] = field(default_factory=list)
    _now: int = 0

    @activity.defn(name="collect")
    async def collect(self, request: CollectRequest) -> Collected:
        if request.selection.keyword == "nothing":
            raise BadInputError(ErrorCode.REQUEST_INVALID, "Nothing is selected.")
        return Collected(modules=tuple(FoundModule(path=path, tests=2) for path in self.modules))

    @activity.defn(name="run_module")
    async def run_module(self, request: RunModuleRequest) -> ModuleReport:
        self.ran.append(request.module)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            play = self.plays.get(request.module)
            await asyncio.sleep(0.05)
            return await play(request) if play else report(request.module, Outcome.PASSED, Outcome.SKIPPED)
        finally:
            self._now -= 1

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Delivered:
        self.told.append(request)
        return Delivered(text="sent", text_message="1")


def as_told(module_report: ModuleReport) -> Play:
    """Run a module with this report."""

    async def play(_request: RunModuleRequest) -> ModuleReport:
        return module_report

    return play


def forever(began: asyncio.Event) -> Play:
    """Run a module to no end; cancelled, tell how far it came."""

    async def play(request: RunModuleRequest) -> ModuleReport:
        began.set()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            return report(request.module, Outcome.PASSED, Outcome.CANCELLED)

    return play


def telling(last: ModuleReport) -> Play:
    """Tell of the module while it is under way, and end with this report."""

    async def play(_request: RunModuleRequest) -> ModuleReport:
        info = activity.info()
        run = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        news = ModuleProgress(module=last.module, attempt=1, found=len(last.cases), cases=last.cases[:1])
        await run.signal("progress", news)
        return last

    return play
