"""Plots as SVG."""

import re
from xml.etree import ElementTree as ET

import pytest

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.figures import Rate, SpeechColumn, Stage
from activities.benchmarks.plots import HEIGHT, bin_bounds, error_rates, histogram, pass_curve, stage_times
from activities.benchmarks.statistics import Interval, TaskCount


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


TURN = re.compile(r"translate\((?P<x>[\d.]+)[, ]+(?P<y>[\d.]+)\)")


def top(root: ET.Element, kind: str) -> float:
    """Return by how much a group is shifted down."""
    group = next(each for each in root.iter() if kind in each.get("class", "").split())
    match = TURN.fullmatch(group.get("transform", ""))
    assert match
    return float(match["y"])


def labels_end(root: ET.Element) -> float:
    """Return where the labels of the horizontal axis end."""
    (axis,) = [each for each in root.iter() if each.get("class") == "axis x"]
    return top(root, "plot") + max(float(text.get("y", 0)) for text in axis.iter() if text.tag.endswith("text"))


def test_legends_do_not_touch_labels_and_stand_in_a_row() -> None:
    run = [
        Attempt(task=str(tokens), outcome=AttemptOutcome.SOLVED, completion_tokens=100 * tokens) for tokens in range(40)
    ]
    stages = [Stage(stage=str(number), turns=3, p50=1, p95=2, p99=3, largest=4) for number in range(3)]
    for plot in (histogram(run, lambda one: one.completion_tokens, "Tokens"), stage_times(stages)):
        root = ET.fromstring(plot)  # noqa: S314 - june's own
        assert top(root, "legends") - labels_end(root) > 5
        boxes = [each for each in root.iter() if each.tag.endswith("rect") and each.get("width") == "10"]
        assert len({box.get("y") for box in boxes}) == 1
        assert top(root, "legends") + 10 < HEIGHT


def test_intervals_of_errors_are_within_the_plot() -> None:
    rate = Rate(value=0.05, over=100, interval=Interval(low=0, high=0.4, method="bootstrap"))
    root = ET.fromstring(error_rates([SpeechColumn(column="june", recordings=3, word_errors=rate)]))  # noqa: S314
    (interval,) = [each for each in root.iter() if "ci" in each.get("class", "").split()]
    drawn = [float(number) for path in interval.iter() for number in re.findall(r"-?\d+\.?\d*", path.get("d", ""))]
    assert drawn
    assert min(drawn) >= 0


def test_the_same_values_give_the_same_plot() -> None:
    run = [Attempt(task="a", outcome=AttemptOutcome.SOLVED, steps=3)]
    assert histogram(run, lambda one: one.steps, "Steps") == histogram(run, lambda one: one.steps, "Steps")
