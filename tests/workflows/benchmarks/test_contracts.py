"""What people may ask for."""

import pytest
from pydantic import ValidationError

from workflows.benchmarks.contracts import BenchmarkReport, BenchmarkRequest, RunOutcome


@pytest.mark.parametrize(
    "wrong",
    [
        {"data_set": ""},
        {"data_set": "x", "samples": 0},
        {"data_set": "x", "temperature": 3},
        {"data_set": "x", "parallel": 33},
        {"data_set": "x", "first": 0},
        {"data_set": "x", "mode": "guess"},
        {"data_set": "x", "paralel": 2},
        {"data_set": "x", "limits": {"steps": 0}},
    ],
)
def test_what_is_mistyped_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BenchmarkRequest.model_validate(wrong)


def test_only_the_data_set_is_needed() -> None:
    request = BenchmarkRequest(data_set="humaneval")
    assert (request.mode, request.samples, request.parallel, request.temperature) == ("completion", 1, 1, 0.0)


def test_a_report_that_could_not_be_made_is_told_apart() -> None:
    assert BenchmarkReport(outcome=RunOutcome.FINISHED, code="report-failed").is_without_its_report
    assert not BenchmarkReport(outcome=RunOutcome.FINISHED).is_without_its_report
    assert not BenchmarkReport(outcome=RunOutcome.FAILED, code="task-unknown").is_without_its_report
