"""Where a coding task stands: what has been done, what it cost, and what queries tell of it."""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.coding.act import Acted
    from activities.coding.compare import Comparison
    from activities.coding.prepare import Prepared
    from activities.coding.storage import Owner
    from activities.coding.think import RemarkRequest, Thought
    from activities.error_codes import CodingCode
    from activities.values import BlobRef
    from agent.limits import Progress, Stop, nudge
    from workflows.coding.contracts import (
        LINES_A_PAGE,
        LINES_KEPT,
        Carried,
        CodingOutcome,
        CodingReport,
        CodingRequest,
        CodingStage,
        CodingStatus,
        StepLine,
    )
    from workflows.coding.errors import code_of
    from workflows.coding.stopwatch import Stopwatch
    from workflows.names import CODING_ID_PREFIX
    from workflows.one_line import shortened

LINE_CHARS = 300
NAME_CHARS = 100
REASONS = {
    CodingCode.LIMIT_STEPS: "It came to the limit of its steps.",
    CodingCode.LIMIT_TOKENS: "It came to the limit of its tokens.",
    CodingCode.LIMIT_SECONDS: "It came to the limit of its time.",
    CodingCode.FORMAT_ERRORS: "The model gave nothing that can be carried out, several times in a row.",
    CodingCode.REPEATING: "The model did the same again and again.",
    CodingCode.TESTS_FAIL: "The agent says that it is done, but the tests fail.",
    CodingCode.CANCELLED: "It was cancelled.",
}


class CodingState:
    """What a task's workflow knows."""

    def __init__(self, request: CodingRequest, workflow_id: str, now: datetime) -> None:
        """Begin, or take up what the run before has handed on."""
        carried = request.carried
        self.request = request
        self.owner = carried.owner if carried else owner_of(request, workflow_id)
        self.stage = CodingStage.PREPARE
        self.progress = carried.progress if carried else Progress()
        self.lines = list(carried.lines) if carried else []
        self.remarks = [RemarkRequest(text=text) for text in carried.remarks] if carried else []
        self.paused = bool(carried and carried.paused)
        self.tests = ""
        """How they went last, on a line."""
        self.tests_passed: bool | None = None
        self.comparison: Comparison | None = None
        self.report: CodingReport | None = None
        self._carried = carried
        self._workspace = carried.workspace if carried else None
        self._baseline = carried.baseline if carried else None
        self._transcript = carried.transcript if carried else None
        self._isolation = carried.isolation if carried else ""
        self._model = carried.model if carried else ""
        self._tokens = [carried.prompt_tokens, carried.completion_tokens] if carried else [0, 0]
        self._seconds = [carried.model_seconds, carried.sandbox_seconds] if carried else [0.0, 0.0]
        self.is_interrupted = bool(carried and carried.is_interrupted)
        """Whether the last step ended with its worker, which the agent is to be told."""
        self.superseded = carried.superseded if carried else None
        """A workspace before this one, which the next step deletes."""
        self._interrupted = carried.interrupted if carried else 0
        self.stopwatch = Stopwatch(now, carried.seconds if carried else 0.0)
        self._summary = ""

    @property
    def prepared(self) -> bool:
        """Whether there is a workspace."""
        return self._workspace is not None

    @property
    def step(self) -> int:
        """The step under way, from 1."""
        return self.progress.steps

    @property
    def workspace(self) -> BlobRef:
        """As it is now."""
        return _there(self._workspace)

    @property
    def baseline(self) -> BlobRef:
        """The workspace as it was at first."""
        return _there(self._baseline)

    @property
    def transcript(self) -> BlobRef:
        """All that was said and seen."""
        return _there(self._transcript)

    def begin(self, prepared: Prepared) -> None:
        """Take up the workspace."""
        self._workspace = self._baseline = prepared.workspace
        self._transcript = prepared.transcript
        self._isolation = prepared.isolation
        skipped = f"; left out: {', '.join(prepared.skipped)}" if prepared.skipped else ""
        self._add(f"workspace of {prepared.files} files{skipped}", 0.0, 0)

    def take_remarks(self) -> tuple[RemarkRequest, ...]:
        """Return what the agent is to be told, which is then told."""
        remarks, self.remarks = tuple(self.remarks), []
        return remarks

    def thought(self, thought: Thought, now: datetime) -> None:
        """Count a call of the model, and note its action."""
        tokens = thought.prompt_tokens + thought.completion_tokens
        self._tokens[0] += thought.prompt_tokens
        self._tokens[1] += thought.completion_tokens
        self._seconds[0] += thought.seconds
        self._model = thought.model or self._model
        self._transcript, self.is_interrupted = thought.transcript, False
        self.progress = self.progress.after_turn(thought.digest, tokens, self.stopwatch.seconds(now))
        self._add(thought.line, thought.seconds, tokens)

    def acted(self, acted: Acted, thought: Thought) -> None:
        """Take up the workspace as the step has left it."""
        self._supersede(acted.workspace)
        self._transcript = acted.transcript
        self._interrupted = 0
        self._seconds[1] += acted.seconds
        self.progress = self.progress.after_observation(acted.digest, self.request.limits)
        if told := nudge(self.progress, self.request.limits):
            self.remarks.append(RemarkRequest(text=told, by_june=True))
        if acted.tests_passed is not None:
            self.tests_passed, self.tests = acted.tests_passed, acted.line
        if acted.done:
            self._summary = thought.summary
        self._amend(f"{thought.line}: {acted.line}", acted.seconds)

    def _supersede(self, workspace: BlobRef) -> None:
        """Take up a workspace; forget the one before it, unless the task's end or another task needs it."""
        before, self._workspace = self._workspace, workspace
        belongs_to_the_task = self.owner.platform == "code" or self.owner == self.request.owner
        self.superseded = before if belongs_to_the_task and before not in (self._baseline, workspace) else None

    def may_go_on(self, error: ActivityError, most: int) -> bool:
        """Check whether a step that failed was only interrupted, and not too often in a row."""
        return code_of(error) is CodingCode.SANDBOX_DIED and self._interrupted < most

    def interrupted(self) -> None:
        """Note that the step's worker died: the workspace is what it was before the step."""
        self._interrupted += 1
        self.is_interrupted = True
        self._amend(f"{self.lines[-1].text}: interrupted", 0.0)

    def conclusion(self, stop: Stop | None) -> tuple[CodingOutcome, CodingCode | None]:
        """Return how a task that was not cut short has ended, and why it is not finished."""
        if self.tests_passed or (stop is None and self.tests_passed is None):
            return CodingOutcome.FINISHED, None
        return CodingOutcome.UNFINISHED, CodingCode(stop.value) if stop else CodingCode.TESTS_FAIL

    def end(self, outcome: CodingOutcome, code: CodingCode | None, reason: str, now: datetime) -> CodingReport:
        """Make the report."""
        self.report = CodingReport(
            outcome=outcome,
            code=code.value if code else "",
            reason=reason or (REASONS.get(code, "") if code else ""),
            summary=self._summary,
            tests=self.tests,
            tests_passed=self.tests_passed,
            steps=self.progress.steps,
            seconds=round(self.stopwatch.seconds(now), 1),
            prompt_tokens=self._tokens[0],
            completion_tokens=self._tokens[1],
            model_seconds=round(self._seconds[0], 2),
            sandbox_seconds=round(self._seconds[1], 2),
            model=self._model,
            isolation=self._isolation,
            comparison=self.comparison,
            baseline=self._baseline,
            workspace=self._workspace,
            transcript=self._transcript,
        )
        return self.report

    def status(self, after: int, now: datetime) -> CodingStatus:
        """Return what queries are told."""
        return CodingStatus(
            task=shortened(self.request.task.partition("\n")[0]),
            outcome=self.report.outcome if self.report else CodingOutcome.RUNNING,
            stage=self.stage,
            step=self.step,
            max_steps=self.request.limits.steps,
            elapsed_seconds=self.report.seconds if self.report else round(self.stopwatch.seconds(now), 1),
            tokens=sum(self._tokens),
            lines=tuple(line for line in self.lines if line.step > after)[:LINES_A_PAGE],
            report=self.report,
        )

    def carry(self, now: datetime) -> Carried:
        """Return what the run that goes on needs."""
        return Carried(
            owner=self.owner,
            baseline=self.baseline,
            workspace=self.workspace,
            superseded=self.superseded,
            transcript=self.transcript,
            progress=self.progress,
            lines=tuple(self.lines[-LINES_KEPT:]),
            remarks=tuple(remark.text for remark in self.remarks),
            paused=self.paused,
            isolation=self._isolation,
            model=self._model,
            seconds=self.stopwatch.seconds(now),
            prompt_tokens=self._tokens[0],
            completion_tokens=self._tokens[1],
            model_seconds=self._seconds[0],
            sandbox_seconds=self._seconds[1],
            interrupted=self._interrupted,
            is_interrupted=self.is_interrupted,
        )

    def _add(self, text: str, seconds: float, tokens: int) -> None:
        self.lines.append(StepLine(step=self.step, text=shortened(text, LINE_CHARS), seconds=seconds, tokens=tokens))

    def _amend(self, text: str, seconds: float) -> None:
        line = self.lines[-1]
        update = {"text": shortened(text, LINE_CHARS), "seconds": round(line.seconds + seconds, 2)}
        self.lines[-1] = line.model_copy(update=update)


def owner_of(request: CodingRequest, workflow_id: str) -> Owner:
    """Return whose files a task's are: the benchmark's or the chat's that asked for it, or its own."""
    if request.owner:
        return request.owner
    if request.report_to:
        to = request.report_to
        return Owner(platform=to.platform, chat=to.chat, thread=to.thread)
    name = workflow_id.removeprefix(CODING_ID_PREFIX)[:NAME_CHARS]
    return Owner(chat="".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in name))


def _there(ref: BlobRef | None) -> BlobRef:
    if ref is None:
        raise RuntimeError("the workspace is not prepared")
    return ref
