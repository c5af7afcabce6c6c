"""Where a run stands."""

from datetime import UTC, datetime, timedelta

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.pin_model import PinnedModel
from activities.benchmarks.plan import Planned
from tests.support.benchmark_world import with_score
from tests.support.coding_world import stored
from workflows.benchmarks.contracts import BenchmarkRequest, RunOutcome
from workflows.benchmarks.state import BenchmarkState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = PinnedModel(model="small", sha256="1" * 64, server="s", machine="other machine")


def planned(**fields: object) -> BenchmarkState:
    """Begin a run of three tasks."""
    state = BenchmarkState(BenchmarkRequest.model_validate({"data_set": "set", **fields}), "a-run", NOW)
    plan = Planned(data_sha256="0" * 64, tasks=("a", "b", "c"), code_version="1", machine="a machine")
    state.pin(plan, MODEL, NOW)
    return state


def ended(state: BenchmarkState, outcome: AttemptOutcome) -> Attempt:
    number, request = state.begin()
    attempt = Attempt(task=request.task, sample=request.sample, outcome=outcome, prompt_tokens=5, completion_tokens=2)
    state.end_attempt(number, attempt)
    return attempt


def test_attempts_come_by_task_and_sample() -> None:
    state = planned(samples=2)
    begun = [state.begin() for _ in range(6)]
    assert [(number, each.task, each.sample) for number, each in begun] == [
        *((0, "a", 0), (1, "a", 1), (2, "b", 0)),
        *((3, "b", 1), (4, "c", 0), (5, "c", 1)),
    ]
    assert all(each.pinned.tasks == () for _, each in begun), "no attempt's history has all ids"
    assert state.there.tasks == ("a", "b", "c")


def test_both_machines_are_pinned_where_there_are_two() -> None:
    assert planned().there.machine == "a machine; the model's worker: other machine"


def test_the_agents_limits_are_pinned_for_it_alone() -> None:
    assert planned().there.limits == {}
    assert planned(mode="agent").there.limits["steps"] == 15


def test_faults_do_not_count_against_the_model() -> None:
    state = planned(samples=2)
    for outcome in (AttemptOutcome.SOLVED, AttemptOutcome.WRONG, AttemptOutcome.MODEL_ERROR, AttemptOutcome.TIMEOUT):
        ended(state, outcome)
    assert state.pass_rate == (1, 3)
    assert list(state.counts) == [*[*AttemptOutcome][:3], AttemptOutcome.MODEL_ERROR]
    assert (state.done, state.tokens) == (4, 28)


def test_a_run_that_goes_on_knows_what_was_done() -> None:
    state = planned(parallel=4)
    attempt = ended(state, AttemptOutcome.SOLVED)
    state.set_parallel(2)
    carried = state.carry((stored("results", "jsonl"),), NOW + timedelta(seconds=7))
    on = BenchmarkState(state.request.model_copy(update={"carried": carried}), "a-run", NOW + timedelta(seconds=9))
    assert (on.next, on.done, on.planned, on.parallel, on.ended) == (1, 1, 3, 2, [])
    assert on.status(NOW + timedelta(seconds=10)).elapsed_seconds == 8
    assert (on.last, on.counts, on.results) == ((attempt,), {AttemptOutcome.SOLVED: 1}, carried.results)
    assert on.begin()[1].task == "b"


def test_parallel_is_bounded() -> None:
    state = planned()
    for asked, given in ((0, 1), (-5, 1), (33, 32), (7, 7)):
        state.set_parallel(asked)
        assert state.parallel == given


def test_the_end_has_no_list_of_tasks() -> None:
    state = planned()
    ended(state, AttemptOutcome.SOLVED)
    report = state.end(RunOutcome.CANCELLED, "cancelled", "It was.", with_score("1"), 5.0)
    assert report.pinned
    assert (report.pinned.tasks, report.planned, report.attempts, report.score) == ((), 3, 1, "1")
    assert state.status(NOW + timedelta(hours=1)).elapsed_seconds == 5.0
