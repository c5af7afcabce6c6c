"""Details of a coding task in the Temporal Web UI."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.coding.contracts import CodingOutcome, CodingStage
    from workflows.coding.state import CodingState
    from workflows.one_line import GAP, cell

MARKS = {
    CodingOutcome.RUNNING: "…",
    CodingOutcome.FINISHED: "✓",
    CodingOutcome.UNFINISHED: "✗",
    CodingOutcome.FAILED: "✗",
    CodingOutcome.CANCELLED: "✗",
}
SHOWN_STEPS = 25
FILES = 20


def of_task(state: CodingState, now: datetime) -> str:
    """Return a task's details as Markdown: where it stands, its last steps, and in the end what has changed."""
    status = state.status(-1, now)
    stage = "" if status.stage is CodingStage.DONE else f", {status.stage.value}"
    parts = [
        f"{MARKS[status.outcome]} **{status.outcome.value}{stage}** — step {status.step} of {status.max_steps}, "
        f"{status.tokens:,} tokens, {status.elapsed_seconds:.0f} s",
        f"> {cell(state.request.task, 500)}",
    ]
    report = state.report
    if report:
        parts += [cell(text, 1000) for text in (report.reason, report.summary) if text]
        parts += [f"Tests: {cell(report.tests)}"] * bool(report.tests)
        if report.comparison:
            compared = report.comparison
            files = [f"- `{cell(file.path)}` {file.kind}, +{file.added} -{file.removed}" for file in compared.files]
            parts.append("\n".join([f"**{compared.changed} files changed**\n", *files[:FILES]]))
    rows = [
        f"| {line.step} | {GAP}{cell(line.text, 150)} | {GAP}{line.seconds:.1f} s | {GAP}{line.tokens:,} |"
        for line in state.lines[-SHOWN_STEPS:]
    ]
    if rows:
        head = [f"| step | {GAP}what | {GAP}time | {GAP}tokens |", "|---|---|---|---|"]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)
