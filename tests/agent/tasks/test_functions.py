"""HumanEval, HumanEval+ and MBPP, as they are shipped."""

import ast
import json

import pytest

from agent.tasks.answers import submission
from agent.tasks.data_sets import find, load
from agent.tasks.functions import read
from agent.tasks.task import Asserts, BenchmarkTask, Cases


def shipped(name: str) -> dict[str, BenchmarkTask]:
    """Read a data set that comes with june."""
    return {task.id: task for task in load(find(name))}


@pytest.mark.parametrize(("name", "count"), [("humaneval", 164), ("humaneval-plus", 164), ("mbpp-sanitized", 427)])
def test_all_tasks_are_read_and_hide_their_tests(name: str, count: int) -> None:
    tasks = shipped(name)
    assert len(tasks) == count
    for task in tasks.values():
        shown = "\n".join([task.text, task.prompt, *task.files.values()])
        hidden = task.scoring.asserts[1:] if isinstance(task.scoring, Asserts) else ()
        assert not [check for check in hidden if check in shown and check != task.scoring.asserts[0]]  # type: ignore[union-attr]
        ast.parse(task.reference["solution.py"])
        # A model that answers with the reference has solved it.
        answered = submission(task, f"```python\n{task.reference['solution.py']}\n```")
        assert answered
        ast.parse(answered["solution.py"])


def test_human_eval() -> None:
    task = shipped("humaneval")["HumanEval/38"]
    assert task.name == "decode_cyclic"
    assert task.files["solution.py"].endswith('"""\n')
    assert "def encode_cyclic" in task.preamble
    assert "def decode_cyclic" not in task.preamble
    assert isinstance(task.scoring, Asserts)
    assert "def check(candidate)" in task.scoring.setup
    assert task.scoring.asserts == ("check(candidate)",)


def test_human_eval_plus_has_the_roots_of_a_polynomial_accepted() -> None:
    task = shipped("humaneval-plus")["HumanEval/32"]
    assert isinstance(task.scoring, Cases)
    assert (task.scoring.accept, task.scoring.tolerance) == ("accept_root", 0.0001)
    assert "<= 0.0001" in task.scoring.setup
    assert len(task.scoring.cases) == 888


def test_mbpp_shows_one_example() -> None:
    task = shipped("mbpp-sanitized")["MBPP/82"]
    assert isinstance(task.scoring, Asserts)
    assert (task.name, task.files) == ("volume_sphere", {})
    assert set(task.scoring.setup.splitlines()) == {"import math"}
    shown, *hidden = task.scoring.asserts
    assert shown in task.prompt
    assert shown in task.text
    assert hidden


def test_assertions_have_the_imports_of_the_reference() -> None:
    scoring = shipped("mbpp-sanitized")["MBPP/596"].scoring
    assert isinstance(scoring, Asserts)
    assert "sys.getsizeof" in scoring.asserts[0]
    assert "import sys" in scoring.setup


ROW = {"task_id": 1, "prompt": "p", "code": "def f(): ...", "test_imports": [], "test_list": ["assert f() == 1"]}


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[{}]",
        b"[1",
        b"\xff",
        json.dumps([{**ROW, "code": "def g(): ..."}]).encode(),
        json.dumps([{**ROW, "code": "def f(:"}]).encode(),
        json.dumps(
            {"task_id": "1", "prompt": "x = 1", "entry_point": "f", "canonical_solution": "", "test": ""}
        ).encode(),
    ],
)
def test_what_is_no_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        list(read(data))


def test_a_row_is_a_task() -> None:
    (task,) = read(json.dumps([ROW]).encode())
    assert (task.id, task.name, task.reference) == ("MBPP/1", "f", {"solution.py": "def f(): ..."})
