"""Details of a run of the integration tests in the Temporal Web UI."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.testruns.results import BAD
    from workflows.one_line import GAP, cell, shortened
    from workflows.testruns.contracts import RunOutcome, RunReport
    from workflows.testruns.state import ModuleState, RunState

MARKS = {
    RunOutcome.RUNNING: "…",
    RunOutcome.PASSED: "✓",
    RunOutcome.FAILED: "✗",
    RunOutcome.ERROR: "✗",
    RunOutcome.CANCELLED: "✗",
}
ROWS = 60
RESULTS = 10
NOTES = 10


def of_run(state: RunState, seconds: float) -> str:
    """Return a run's details as Markdown: status, a table of its modules, tests that did not pass, notes."""
    counts = ", ".join(f"{number} {outcome.value}" for outcome, number in state.counts.items()) or "none ended yet"
    mark = f"{MARKS[state.outcome]} **{state.outcome.value}**"
    parts = [f"{mark} — {state.tests} tests: {counts}; {seconds:.0f} s"]
    if state.error:
        parts.append(f"**Error**: {cell(state.error, 1000)}")
    if state.modules:
        table = [f"| module | {GAP}tests | {GAP}ended | {GAP}bad | |", "|---|---|---|---|---|"]
        table += [_row(module) for module in state.modules[:ROWS]]
        more = len(state.modules) - ROWS
        parts.append("\n".join([*table, f"| … {more} more | | | | |"] if more > 0 else table))
    bad = [result for module in state.modules for result in module.results if result.outcome in BAD][:RESULTS]
    if bad:
        lines = [f"- `{cell(result.node)}` {result.outcome.value}: {cell(result.message)}" for result in bad]
        parts.append("\n".join(["**Did not pass**\n", *lines]))
    if state.notes:
        parts.append("\n".join(["**Notes**\n", *(f"- {cell(note, 200)}" for note in state.notes[:NOTES])]))
    return "\n\n".join(parts)


def in_a_line(report: RunReport) -> str:
    """Return in a line how a run ended."""
    if report.error:
        return shortened(f"not run: {report.error}", 400)
    bad = sum(number for outcome, number in report.counts.items() if outcome in BAD)
    names = ", ".join(shortened(result.node) for result in report.worst[:3])
    more = ", …" if bad > 3 else ""
    return f"{bad} of {report.tests} tests did not pass: {names}{more}"


def _row(module: ModuleState) -> str:
    if module.ended:
        what = f"{module.seconds:.1f} s"
    elif module.current:
        what = f"now `{cell(module.current.partition('::')[2] or module.current)}`"
    else:
        what = "under way" if module.attempt else "waits"
    again = f" (attempt {module.attempt})" if module.attempt > 1 else ""
    mark = "✗ " if module.bad else "✓ " if module.ended else ""
    cells = (f"{mark}`{cell(module.path)}`", module.tests, module.counts.total(), module.bad or "", what + again)
    return f"| {f' | {GAP}'.join(map(str, cells))} |"
