"""Details of a benchmark in the Temporal Web UI: a table that moves."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.benchmarks.attempts import Attempt, AttemptOutcome
    from workflows.benchmarks.contracts import RunOutcome
    from workflows.benchmarks.state import BenchmarkState
    from workflows.one_line import GAP, cell

MARKS = {
    RunOutcome.RUNNING: "…",
    RunOutcome.FINISHED: "✓",
    RunOutcome.FAILED: "✗",
    RunOutcome.CANCELLED: "✗",
}
GOOD = frozenset({AttemptOutcome.SOLVED, AttemptOutcome.MEASURED})


def of_run(state: BenchmarkState, now: datetime) -> str:
    """Return a run's details as Markdown: how far it is, its rate, what runs, and what has ended last."""
    status = state.status(now)
    outcome = "paused" if status.paused and not state.report else status.outcome.value
    parts = [
        f"{MARKS[status.outcome]} **{outcome}** — {status.done:,} of {status.planned:,} attempts, "
        f"{status.tokens:,} tokens, {status.elapsed_seconds:.0f} s, {status.parallel} at once",
        f"> {cell(status.data_set)}, {status.mode.value}{f', `{cell(status.model)}`' if status.model else ''}",
    ]
    solved, told = state.pass_rate
    if told:
        parts.append(f"**Solved so far: {solved / told:.1%}** ({solved} of {told})")
    if state.report:
        parts += [cell(text, 1000) for text in (state.report.score, state.report.reason) if text]
    if status.counts:
        parts.append(", ".join(f"{number} {outcome.value}" for outcome, number in status.counts.items()))
    if status.running:
        parts.append(f"Now: {', '.join(f'`{cell(task)}`' for task in status.running)}")
    if status.last:
        head = [f"| task | {GAP}outcome | {GAP}tokens | {GAP}model | {GAP}why |", "|---|---|---|---|---|"]
        parts.append("\n".join([*head, *map(_row, reversed(status.last))]))
    return "\n\n".join(parts)


def _row(attempt: Attempt) -> str:
    mark = "✓" if attempt.outcome in GOOD else "✗"
    cells = (
        f"{mark} `{cell(attempt.task)}` #{attempt.sample}",
        attempt.outcome.value + (f", after {len(attempt.faults)} faults" if attempt.faults else ""),
        f"{attempt.prompt_tokens + attempt.completion_tokens:,}",
        f"{attempt.model_seconds:.1f} s",
        cell(attempt.why),
    )
    return f"| {f' | {GAP}'.join(cells)} |"
