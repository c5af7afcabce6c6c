"""Results fit into histories, whatever tests print."""

from hypothesis import given
from hypothesis import strategies as st

from activities.testruns import results as module
from activities.testruns.results import (
    BAD,
    LINE_CHARS,
    LISTED_BYTES,
    MAX_MESSAGE_CHARS,
    MAX_NODE_CHARS,
    MAX_RESULTS,
    ModuleReport,
    Outcome,
    TestResult,
    count,
    listed,
    make_result,
)

RESULTS = st.lists(
    st.builds(make_result, st.text(max_size=400), st.sampled_from(Outcome), st.floats(0, 1e6), st.text(max_size=600)),
    max_size=30,
)


@given(node=st.text(max_size=1000), seconds=st.floats(0, 1e9), message=st.text(max_size=2000))
def test_a_result_is_small(node: str, seconds: float, message: str) -> None:
    result = make_result(node, Outcome.FAILED, seconds, message)
    assert len(result.node) <= MAX_NODE_CHARS
    assert len(result.message) <= MAX_MESSAGE_CHARS
    assert node == result.node or node.startswith(result.node.removesuffix("…"))


@given(RESULTS)
def test_all_are_counted_and_few_are_all_listed(results: list[TestResult]) -> None:
    assert sum(count(results).values()) == len(results)
    assert listed(results) == tuple(results)


def test_of_very_many_the_bad_ones_are_listed_first() -> None:
    results = [make_result(f"test_a.py::test_{n}", Outcome.PASSED) for n in range(MAX_RESULTS)]
    results.append(make_result("test_a.py::test_last", Outcome.CRASHED, 1, "killed"))
    kept = listed(results)
    assert len(kept) == MAX_RESULTS
    assert kept[0].node == "test_a.py::test_last"
    assert len(count(results)) == 2


def test_messages_beyond_their_share_are_cut_to_a_line() -> None:
    kept = listed(make_result(f"test_{n}", Outcome.FAILED, 1, "x" * 1000) for n in range(200))
    lengths = [len(result.message) for result in kept]
    assert lengths[0] == MAX_MESSAGE_CHARS
    assert lengths[-1] == LINE_CHARS
    assert sum(lengths) <= module.MESSAGES_CHARS + 200 * LINE_CHARS


def test_what_is_listed_has_a_size() -> None:
    kept = listed(make_result("🎤" * 300, Outcome.FAILED, 1, "🎤" * 500) for _ in range(MAX_RESULTS))
    assert 0 < len(kept) < MAX_RESULTS
    assert sum(len(result.model_dump_json().encode()) for result in kept) <= LISTED_BYTES


def test_the_names_of_the_fields_are_those_of_recorded_histories() -> None:
    report = ModuleReport(module="test_a.py", cases=(make_result("test_a.py::test_one", Outcome.TIMED_OUT),))
    assert report.model_dump(mode="json", include={"module", "cases"}) == {
        "module": "test_a.py",
        "cases": [{"node": "test_a.py::test_one", "outcome": "timed-out", "seconds": 0, "message": ""}],
    }
    assert {"failed", "error", "timed-out", "crashed", "not-run"} == BAD
