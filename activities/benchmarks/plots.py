"""Plots of a run as SVG: their colours are the page's, so that they are dark where it is."""

import math
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from markupsafe import Markup
from pygal.graph.bar import Bar
from pygal.graph.stackedbar import StackedBar
from pygal.graph.xy import XY
from pygal.style import Style

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.figures import SpeechColumn, Stage
from activities.benchmarks.statistics import TaskCount, pass_at
from activities.pages.plain_text import visible

WIDTH, HEIGHT = 440, 280
BINS = 12
CURVE_POINTS = 20
WIDE = 8
"""Of more bins every second has its label."""
LABEL_CHARS = 24
MAX_IN_A_ROW = 3
"""Of a legend."""
FONTS = Style(label_font_size=12, major_label_font_size=12, legend_font_size=12, title_font_size=14)
"""Sizes of the page's style: by these pygal leaves room for texts."""
_LEFT_OUT = {"script", "style", "desc", "title"}


def histogram(attempts: Sequence[Attempt], value: Callable[[Attempt], float], label: str) -> Markup:
    """Plot how many attempts took how much, those that have solved their task below the others."""
    bounds = bin_bounds([value(attempt) for attempt in attempts])
    counts = {solved: [0] * (len(bounds) - 1) for solved in (True, False)}
    for attempt in attempts:
        place = next((place for place, bound in enumerate(bounds[1:-1]) if value(attempt) < bound), len(bounds) - 2)
        counts[attempt.outcome == AttemptOutcome.SOLVED][place] += 1
    chart = _chart(StackedBar, label, show_minor_x_labels=len(bounds) < WIDE)
    chart.x_labels = [_short(low) for low in bounds[:-1]]
    chart.x_labels_major_every = 2
    chart.add("solved", counts[True])
    chart.add("not solved", counts[False])
    return _svg(chart, label)


def bin_bounds(values: Sequence[float]) -> list[float]:
    """Return at most 13 round bounds of bins of one width that hold all values."""
    least, largest = min(values), max(values)
    step = _round_up((largest - least) / BINS) if largest > least else 1.0
    first = math.floor(least / step)
    # The last bin holds its upper bound as well.
    bins = max(1, math.ceil(largest / step) - first)
    return [(first + place) * step for place in range(bins + 1)]


def pass_curve(counts: Sequence[TaskCount], samples: int) -> Markup:
    """Plot pass@k for as many k as can be known, with its interval."""
    ks = sorted({round(1 + (samples - 1) * place / (CURVE_POINTS - 1)) for place in range(CURVE_POINTS)})
    scores = [score for k in ks if (score := pass_at(counts, k)) and score.value is not None and score.interval]
    label = "pass@k by k; 95 % interval"
    chart = _chart(XY, label, range=(0, 1), show_dots=len(scores) < CURVE_POINTS)
    chart.add("pass@k", [(score.k, score.value) for score in scores])
    for bound in ("low", "high"):
        chart.add(bound, [(score.k, getattr(score.interval, bound)) for score in scores], show_dots=False)
    return _svg(chart, label)


def error_rates(columns: Sequence[SpeechColumn]) -> Markup:
    """Plot words wrong, in percent, by column."""
    label = "Words wrong, %"
    rates = [column.word_errors for column in columns if column.word_errors]
    highest = [100 * max(rate.value or 0, rate.interval.high if rate.interval else 0) for rate in rates]
    chart = _chart(Bar, label, range=(0, max(highest, default=0) or 1))
    for column in columns:
        if column.word_errors and column.word_errors.value is not None:
            rate, interval = column.word_errors.value, column.word_errors.interval
            ci = {"ci": {"low": 100 * interval.low, "high": 100 * interval.high}} if interval else {}
            chart.add(_name(column.column), [{"value": 100 * rate, **ci}])
    return _svg(chart, label)


def real_time_factors(columns: Sequence[SpeechColumn]) -> Markup:
    """Plot seconds for one second of sound, by column."""
    label = "Seconds for one second of sound"
    chart = _chart(Bar, label)
    for column in columns:
        if column.real_time_factor and column.real_time_factor.value is not None:
            chart.add(_name(column.column), [column.real_time_factor.value])
    return _svg(chart, label)


def stage_times(stages: Sequence[Stage]) -> Markup:
    """Plot percentiles of each stage."""
    label = "Milliseconds by stage"
    chart = _chart(Bar, label, x_label_rotation=30 if len(stages) > 4 else 0)
    chart.x_labels = [_name(stage.stage) for stage in stages]
    for name in ("p50", "p95", "p99"):
        chart.add(name, [getattr(stage, name) for stage in stages])
    return _svg(chart, label)


def _chart(kind: type[Any], label: str, **options: Any) -> Any:  # noqa: ANN401 - pygal has no types
    return kind(
        width=WIDTH,
        height=HEIGHT,
        margin=8,
        title=label,
        css=(),
        js=(),
        style=FONTS,
        legend_at_bottom=True,
        legend_box_size=10,
        value_formatter=_short,
        x_value_formatter=_short,
        **options,
    )


def _svg(chart: Any, label: str) -> Markup:  # noqa: ANN401
    def cleaned(root: Element) -> Element:
        _clean(root)
        root.attrib |= {"role": "img", "aria-label": label}
        root.attrib.pop("id", None)
        return root

    if len(chart.raw_series) <= MAX_IN_A_ROW:
        chart.legend_at_bottom_columns = len(chart.raw_series)
    chart.add_xml_filter(cleaned)
    return Markup(chart.render(is_unicode=True, disable_xml_declaration=True))  # noqa: S704 - pygal escapes its texts


def _clean(element: Element) -> None:
    """Leave out scripts, styles, comments that name the web, ids, and what only scripts show."""
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag in _LEFT_OUT or "tooltip" in child.get("class", "").split("-"):
            element.remove(child)
        else:
            child.attrib.pop("id", None)
            _clean(child)


def _round_up(value: float) -> float:
    """Return the next larger of 1, 2, 5, 10, ... times a power of ten."""
    scale = 10.0 ** math.floor(math.log10(value))
    return next(factor * scale for factor in (1, 2, 5, 10) if factor * scale >= value * (1 - 1e-9))


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:.4g}"


def _name(text: str) -> str:
    return visible(text)[:LABEL_CHARS]
