"""Aider's polyglot exercises in Python, as they are shipped."""

import pytest

from agent.tasks.answers import submission
from agent.tasks.data_sets import find, load
from agent.tasks.exercises import read
from agent.tasks.task import BenchmarkTask, TestRun, UnitTests
from tests.agent.tasks.own_sets import repair_archive


def shipped() -> dict[str, BenchmarkTask]:
    """Read the data set."""
    return {task.id: task for task in load(find("polyglot-python"))}


def test_all_exercises_are_read_and_hide_their_tests() -> None:
    tasks = shipped()
    assert len(tasks) == 34
    for task in tasks.values():
        assert list(task.files) == [task.answer_path] == list(task.reference)
        shown = "\n".join([task.text, task.prompt, *task.files.values()])
        assert "unittest" not in shown
        assert task.files[task.answer_path].strip() in task.prompt


def test_tests_that_patch_the_submission_run_beside_it() -> None:
    assert {task.id for task in shipped().values() if isinstance(task.scoring, TestRun)} == {"grep", "paasio"}


def test_the_others_are_told_which_modules_are_the_submissions() -> None:
    scoring = shipped()["forth"].scoring
    assert isinstance(scoring, UnitTests)
    assert scoring.modules == ("forth",)
    assert [name for name, _ in scoring.tests] == ["forth_test"]


def test_helpers_of_tests_are_hidden_too() -> None:
    scoring = shipped()["paasio"].scoring
    assert isinstance(scoring, TestRun)
    assert set(scoring.files) == {"test_utils.py", "paasio_test.py"}
    assert "paasio_test.py::PaasioTest::test_meteredsocket_recv_once" in scoring.fail_to_pass


def test_an_answer_is_the_whole_file() -> None:
    task = shipped()["wordy"]
    assert submission(task, "wordy.py\n```python\nx = 1\n```") == {"wordy.py": "x = 1\n"}


def test_what_is_no_exercise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the exercise correct_python_programs has no file '.meta/config.json'"):
        list(read(repair_archive()))
