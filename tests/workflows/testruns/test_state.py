"""The state of a run, without Temporal."""

from activities.testruns.collect import Collected, FoundModule
from activities.testruns.results import ModuleProgress, Outcome, make_result
from tests.support.testrun_world import report
from workflows.testruns.contracts import RunOutcome
from workflows.testruns.state import MAX_NOTES, WORST, RunState


def collected(*paths: str) -> RunState:
    """Begin a run of these modules."""
    state = RunState()
    state.collected(Collected(modules=tuple(FoundModule(path=path, tests=2) for path in paths)))
    return state


def test_a_new_attempt_begins_afresh_and_the_last_word_is_the_report() -> None:
    state, passed = RunState(), make_result("test_a.py::test_0", Outcome.PASSED)
    state.collected(Collected(modules=(FoundModule(path="test_a.py", tests=2),)))
    state.begin("test_a.py")
    state.progress(ModuleProgress(module="test_a.py", attempt=1, found=2, cases=(passed,)))
    state.progress(ModuleProgress(module="test_a.py", attempt=2, found=2))
    assert state.counts == {}
    state.progress(ModuleProgress(module="test_a.py", attempt=1, found=2, cases=(passed,)))
    assert state.counts == {}
    state.end(report("test_a.py", Outcome.PASSED, Outcome.FAILED, attempts=2))
    state.progress(ModuleProgress(module="test_a.py", attempt=2, found=2, cases=(passed,)))
    assert state.counts == {Outcome.PASSED: 1, Outcome.FAILED: 1}


def test_a_module_that_is_lost_has_an_outcome_and_the_others_go_on() -> None:
    state = collected("test_a.py", "test_b.py")
    state.begin("test_a.py")
    assert [(now.module, now.attempt) for now in state.status("", 1).current] == [("test_a.py", 1)]
    state.lose("test_a.py", Outcome.ERROR, "its worker died")
    state.end(report("test_b.py", Outcome.PASSED, Outcome.XFAILED))
    assert not state.passed
    assert [(result.node, result.message) for result in state.report(1).worst] == [("test_a.py", "its worker died")]
    status = state.status("", 1)
    assert (status.outcome, status.modules_ended, status.tests_ended, status.current) == (RunOutcome.RUNNING, 2, 3, ())


def test_skipped_and_expected_failures_pass() -> None:
    state = collected("test_a.py")
    state.end(report("test_a.py", Outcome.PASSED, Outcome.SKIPPED, Outcome.XFAILED, Outcome.XPASSED))
    assert state.passed
    assert state.tests == 4, "more than were collected"


def test_progress_of_an_unknown_module_changes_nothing() -> None:
    state = collected("test_a.py")
    state.progress(ModuleProgress(module="test_z.py", attempt=1, found=2))
    assert [(module.path, module.attempt) for module in state.modules] == [("test_a.py", 0)]


def test_notes_and_the_worst_are_bounded() -> None:
    state = collected("test_a.py")
    state.end(report("test_a.py", *[Outcome.FAILED] * 50, notes=tuple(map(str, range(100)))))
    assert len(state.notes) == MAX_NOTES
    assert len(state.report(1).worst) == WORST
