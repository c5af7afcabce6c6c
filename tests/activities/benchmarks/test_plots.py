"""Plots as SVG."""

import re
from xml.etree import ElementTree as ET

import pytest

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.figures import Stage
from activities.benchmarks.plots import bin_bounds, histogram, pass_curve, stage_times
from activities.benchmarks.statistics import TaskCount


@pytest.mark.parametrize("values", [[0.0], [3.0, 3.0], [0.1, 0.7], [1.0, 99.0, 12345.0], [0.002, 0.0031], [5.0, 17.0]])
def test_bins_hold_all_values_and_are_few(values: list[float]) -> None:
    bounds = bin_bounds(values)
    assert bounds[0] <= min(values)
    assert bounds[-1] >= max(values)
    assert 2 <= len(bounds) <= 14


def test_a_plot_has_no_script_no_style_and_no_id() -> None:
    run = [
        Attempt(task=str(seconds), outcome=outcome, model_seconds=seconds)
        for seconds in range(20)
        for outcome in (AttemptOutcome.SOLVED, AttemptOutcome.WRONG)
    ]
    counts = [TaskCount(task=str(task), n=5, c=task % 6) for task in range(20)]
    for plot in (histogram(run, lambda one: one.model_seconds, "Seconds"), pass_curve(counts, 5)):
        root = ET.fromstring(plot)  # noqa: S314 - june's own
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "style", "image", "a", "foreignObject", "desc"}
        assert not any("id" in element.attrib for element in root.iter())
        assert "href" not in plot
        assert not re.search(r"https?://(?!www\.w3\.org/)", plot)


def test_names_of_stages_are_escaped_and_cut() -> None:
    stage = Stage(stage="<script>alert(1)</script>\x00" + "x" * 500, turns=3, p50=1, p95=2, p99=3, largest=4)
    plot = stage_times([stage])
    assert "<script" not in plot
    assert "&lt;script&gt;" in plot
    assert "x" * 100 not in plot
    ET.fromstring(plot)  # noqa: S314 - june's own


def test_the_same_values_give_the_same_plot() -> None:
    run = [Attempt(task="a", outcome=AttemptOutcome.SOLVED, steps=3)]
    assert histogram(run, lambda one: one.steps, "Steps") == histogram(run, lambda one: one.steps, "Steps")
