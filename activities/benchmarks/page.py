"""The page of a run: what was pinned, the score, classes, plots, tasks, and what each attempt has written."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from activities.benchmarks import plots
from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode, Pinned
from activities.benchmarks.figures import stage_figures
from activities.benchmarks.shown_attempts import AttemptShown, kind
from activities.benchmarks.statistics import Total
from activities.benchmarks.summary import JUDGED, Summary, told
from activities.pages.page import render

OUTCOMES = {
    AttemptOutcome.SOLVED: "each check has passed",
    AttemptOutcome.WRONG: "a check has not passed",
    AttemptOutcome.TIMEOUT: "took longer than it may",
    AttemptOutcome.OOM: "out of memory",
    AttemptOutcome.NO_SUBMISSION: "nothing was changed",
    AttemptOutcome.FORMAT_ERROR: "nothing in the answer is code, or an action",
    AttemptOutcome.LIMITS: "the agent came to a limit, or repeated itself",
    AttemptOutcome.LENGTH: "the answer was cut at its longest length",
    AttemptOutcome.SANDBOX_ERROR: "the sandbox failed: beside the score",
    AttemptOutcome.MODEL_ERROR: "the model's server failed: beside the score",
    AttemptOutcome.MEASURED: "measured",
    AttemptOutcome.UNMEASURED: "could not be measured",
}
TOTAL_NAMES = {
    "steps": "steps",
    "prompt_tokens": "tokens read",
    "completion_tokens": "tokens written",
    "model_seconds": "seconds of the model",
    "sandbox_seconds": "seconds of the sandbox",
    "waiting_seconds": "seconds of waiting",
}


class TaskRow(NamedTuple):
    """A task's line in the table."""

    task: str
    attempts: tuple[AttemptShown, ...]
    first: int
    """Place of the first of them on the page."""

    def sum(self, field: str) -> float:
        """Return the sum of a field over its attempts."""
        values: list[float] = [getattr(one.attempt, field) for one in self.attempts]
        return sum(values)


def page(summary: Summary, attempts: Sequence[Attempt], listed: Sequence[AttemptShown]) -> bytes:
    """Return the page as HTML; ``listed`` are the first of the attempts, in their order."""
    values: dict[str, Any] = {
        "summary": summary,
        "pinned": summary.pinned,
        "judged": summary.pinned.mode in JUDGED,
        "mode": _MODES[summary.pinned.mode],
        "settings": settings(summary.pinned),
        "classes": [(outcome, kind(outcome), OUTCOMES[outcome], count) for outcome, count in summary.counts.items()],
        "totals": _totals(summary),
        "plots": _plots(summary, attempts),
        "rows": _rows(listed),
        "attempts": listed,
        "left_out": len(attempts) - len(listed),
        "figure_names": _figure_names(summary, listed),
        "told": told,
        "span": span,
    }
    return render("activities.benchmarks", "report.html", values)


def settings(pinned: Pinned) -> list[tuple[str, str]]:
    """Return what was pinned, by names for people."""
    judged = pinned.mode in JUDGED
    found = {
        "Data set": f"{pinned.data_set}, {len(pinned.tasks)} {'task' if len(pinned.tasks) == 1 else 'tasks'}",
        "Its SHA-256": pinned.data_sha256,
        "Model": pinned.model,
        "Its SHA-256, of the file": pinned.model_sha256,
        "Model's server": pinned.server,
        "Samples of each task": str(pinned.samples),
        "Options": ", ".join(f"{name} {_given(value)}" for name, value in pinned.options.items()),
        "Temperature": f"{pinned.temperature:g}" if judged else "",
        "top_p": "" if pinned.top_p is None else f"{pinned.top_p:g}",
        "top_k": "" if pinned.top_k is None else str(pinned.top_k),
        "Longest answer": f"{pinned.answer_tokens:,} tokens" if judged else "",
        "Seed": str(pinned.seed),
        "Limits of the agent": ", ".join(f"{value:,.15g} {name}" for name, value in pinned.limits.items()),
        "Isolation": pinned.isolation,
        "June": pinned.code_version,
        "Machine": pinned.machine,
        "Started": f"{pinned.started:%Y-%m-%d %H:%M} UTC",
    }
    return [(name, value) for name, value in found.items() if value]


def _given(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def span(seconds: float) -> str:
    """Return a time span: ``0.42 s``, ``7.5 s``, ``12 min``, ``3.4 h``."""
    for most, unit, digits in ((1, 1, 2), (100, 1, 1)):
        if seconds < most:
            return f"{seconds / unit:.{digits}f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


_MODES = {
    Mode.COMPLETION: "a single answer to each task",
    Mode.AGENT: "the coding agent",
    Mode.STT: "speech to text",
    Mode.TTS: "text to speech",
    Mode.TURNS: "turns of a chat",
}


def _plots(summary: Summary, attempts: Sequence[Attempt]) -> list[Markup]:
    found: list[Markup] = []
    if summary.pinned.mode in JUDGED and attempts:
        if summary.pinned.samples > 1 and summary.pass_at:
            found.append(plots.pass_curve(summary.tasks, summary.pinned.samples))
        found.append(plots.histogram(attempts, _seconds, "Attempts by seconds"))
        found.append(plots.histogram(attempts, _tokens, "Attempts by tokens written"))
        if any(attempt.steps > 1 for attempt in attempts):
            found.append(plots.histogram(attempts, _steps, "Attempts by steps"))
    columns, stages = summary.figures.columns, summary.figures.stages
    if any(column.word_errors and column.word_errors.value is not None for column in columns):
        found.append(plots.error_rates(columns))
    if any(column.real_time_factor and column.real_time_factor.value is not None for column in columns):
        found.append(plots.real_time_factors(columns))
    if stages:
        found.append(plots.stage_times(stages))
    return found


def _seconds(attempt: Attempt) -> float:
    return attempt.model_seconds + attempt.sandbox_seconds


def _tokens(attempt: Attempt) -> float:
    return attempt.completion_tokens


def _steps(attempt: Attempt) -> float:
    return attempt.steps


def _totals(summary: Summary) -> list[tuple[str, Total]]:
    """Return what attempts took, by names for people; what speech took is among its figures."""
    if summary.pinned.mode not in JUDGED:
        return []
    return [(TOTAL_NAMES[field], total) for field, total in summary.totals.items() if total.largest]


def _figure_names(summary: Summary, listed: Sequence[AttemptShown]) -> list[str]:
    """Return the figures that the table of tasks has; those of stages have a table of their own."""
    of_stages = {name for stage in summary.figures.stages for name in stage_figures(stage.stage)}
    names = dict.fromkeys(name for one in listed for name in one.attempt.figures)
    return [name for name in names if name not in of_stages]


def _rows(listed: Sequence[AttemptShown]) -> list[TaskRow]:
    """Return a row for each task: its attempts follow one another."""
    rows: list[TaskRow] = []
    for place, one in enumerate(listed):
        if rows and rows[-1].task == one.attempt.task:
            rows[-1] = rows[-1]._replace(attempts=(*rows[-1].attempts, one))
        else:
            rows.append(TaskRow(one.attempt.task, (one,), place))
    return rows
