"""What people read of a run of the integration tests in the Temporal Web UI."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.testruns.results import BAD
    from workflows.one_line import shortened
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
CASES = 10
NOTES = 10
GAP = "\u2003"
"""An em space: the Web UI sets a table's columns without any between them."""
CELL_CHARS = 100
"""The server takes 20,000 bytes of details."""


def of_run(state: RunState, seconds: float) -> str:
    """Describe a run: how it stands, a table of its modules, what went wrong, what else happened."""
    parts = [_headline(state, seconds)]
    if state.error:
        parts.append(f"**Error**: {_cell(state.error, 1000)}")
    if state.modules:
        parts.append(_table(state))
    bad = [one for module in state.modules for one in module.cases if one.outcome in BAD][:CASES]
    if bad:
        lines = [f"- `{_cell(one.node)}` {one.outcome.value}: {_cell(one.message)}" for one in bad]
        parts.append("\n".join(["**Did not pass**\n", *lines]))
    if state.notes:
        parts.append("\n".join(["**Notes**\n", *(f"- {_cell(note, 200)}" for note in state.notes[:NOTES])]))
    return "\n\n".join(parts)


def told(report: RunReport) -> str:
    """Say in a line how a run ended."""
    if report.error:
        return shortened(f"not run: {report.error}", 400)
    bad = sum(number for outcome, number in report.counts.items() if outcome in BAD)
    names = ", ".join(shortened(one.node) for one in report.worst[:3])
    more = ", …" if bad > 3 else ""
    return f"{bad} of {report.tests} tests did not pass: {names}{more}"


def _headline(state: RunState, seconds: float) -> str:
    counts = ", ".join(f"{number} {outcome.value}" for outcome, number in state.counts.items()) or "none ended yet"
    return f"{MARKS[state.outcome]} **{state.outcome.value}** — {state.tests} tests: {counts}; {seconds:.0f} s"


def _table(state: RunState) -> str:
    rows = [_row(module) for module in state.modules[:ROWS]]
    if len(state.modules) > ROWS:
        rows.append(f"| … {len(state.modules) - ROWS} more | | | | |")
    return "\n".join([f"| module | {GAP}tests | {GAP}ended | {GAP}bad | |", "|---|---|---|---|---|", *rows])


def _row(module: ModuleState) -> str:
    if module.ended:
        what = f"{module.seconds:.1f} s"
    elif module.current:
        what = f"now `{_cell(module.current.partition('::')[2] or module.current)}`"
    else:
        what = "under way" if module.attempt else "waits"
    again = f" (attempt {module.attempt})" if module.attempt > 1 else ""
    mark = "✗ " if module.bad else "✓ " if module.ended else ""
    cells = (f"{mark}`{_cell(module.path)}`", module.tests, module.counts.total(), module.bad or "", what + again)
    return f"| {f' | {GAP}'.join(map(str, cells))} |"


def _cell(text: str, chars: int = CELL_CHARS) -> str:
    """Keep a text from breaking the table or the code that it is in."""
    return shortened(text, chars).replace("|", "¦").replace("`", "'")
