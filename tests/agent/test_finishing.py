"""A finish counts once the tests pass."""

from activities.sandbox.sandbox import ExecResult
from agent.actions import Finish, RunTests
from agent.finishing import refusal
from agent.transcript import Entry, Observation, Task, Turn

FAILING, PASSING = ExecResult(1, "1 failed in 0.1s"), ExecResult(0, "1 passed in 0.1s")
FINISH = Turn(step=1, text="", action=Finish(summary="Done."))
BEFORE: list[Entry] = [Task(text="x"), Turn(step=1, text="", action=RunTests()), Observation(step=1, text="fail")]


def test_passing_tests_or_none_let_it_count() -> None:
    assert refusal([*BEFORE, FINISH], PASSING, ()) is None
    assert refusal([*BEFORE, FINISH], None, ()) is None


def test_before_anything_was_done_it_is_refused_twice() -> None:
    entries: list[Entry] = [Task(text="x"), FINISH]
    assert (refusal(entries, None, ()) or "").startswith("The task is not done: you have done nothing yet.")
    assert "The tests fail (1 failed):" in (refusal(entries, FAILING, ()) or "")
    assert refusal(entries, PASSING, ()) is None, "there is nothing to do"
    assert refusal([*entries, FINISH, FINISH], None, ()) is None


def test_failing_tests_refuse_it_twice() -> None:
    answer = refusal([*BEFORE, FINISH], FAILING, ())
    assert answer is not None
    assert answer.startswith("The task is not done. The tests fail (1 failed):")
    assert refusal([*BEFORE, FINISH, FINISH], FAILING, ()) == answer
    assert refusal([*BEFORE, FINISH, FINISH, FINISH], FAILING, ()) is None


def test_files_that_the_task_names_have_to_be_there() -> None:
    entries = [Task(text="Write `a.py`, with tests in `tests/test_a.py`; `os.path` is enough."), *BEFORE[1:], FINISH]
    answer = refusal(entries, PASSING, ["a.py"])
    assert answer == "The task is not done. It names files that are not there: tests/test_a.py. Write them now."
    assert refusal(entries, PASSING, ["package/a.py", "package/tests/test_a.py"]) is None
    assert refusal([*entries, FINISH, FINISH], None, ["a.py"]) is None
