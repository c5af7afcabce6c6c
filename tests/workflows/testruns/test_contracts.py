"""Requests and answers of a run, as they cross Temporal."""

from datetime import timedelta

import pytest

from workflows.testruns.contracts import PAGE, PageRequest, RunRequest


def test_a_run_has_bounds() -> None:
    with pytest.raises(ValueError, match="less than or equal to 16"):
        RunRequest(parallel=100)
    assert RunRequest().seconds_a_test == timedelta(minutes=5).total_seconds()


def test_a_request_without_any_input_runs_everything() -> None:
    assert RunRequest.model_validate_json("{}").model_dump(mode="json") == {
        "selection": {"tests": [], "keyword": "", "markers": ""},
        "parallel": 1,
        "seconds_a_test": 300.0,
        "seconds_a_module": 1800.0,
        "alerts": [],
    }


def test_a_page_has_bounds() -> None:
    for wrong in ({"start": -1}, {"size": 0}, {"size": PAGE + 1}):
        with pytest.raises(ValueError, match=r"greater than|less than"):
            PageRequest.model_validate(wrong)
