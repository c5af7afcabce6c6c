"""Examples of docstrings as tests."""

import pytest

from agent.tasks.data_sets import find, load
from agent.tasks.examples import FILE, example_tests
from agent.tasks.task import Asserts, BenchmarkTask


def task(docstring: str, name: str = "f") -> BenchmarkTask:
    return BenchmarkTask(
        id="t",
        text="",
        files={"solution.py": f"def f(x):\n    '''{docstring}'''\n"},
        prompt="",
        answer_path="solution.py",
        name=name,
        reference={},
        scoring=Asserts(module="solution", function="f", name="f", asserts=("True",)),
    )


@pytest.mark.parametrize(
    ("docstring", "asserted"),
    [
        (">>> f(1)\n    2", ["f(1) == 2"]),
        (">>> f('a')\n    \"b\"\n    >>> f(2) == 3", ["f('a') == 'b'", "f(2) == 3"]),
        ("f(1) gives 2", []),
        (">>> f(1)", []),
        (">>> x = 1\n    >>> f(x)\n    <object>", []),
        (">>> f(\n    1", []),
    ],
)
def test_examples_become_assertions(docstring: str, asserted: list[str]) -> None:
    tests = example_tests(task(docstring)).get(FILE, "")
    assert [line.strip().removeprefix("assert ") for line in tests.splitlines() if "assert" in line] == asserted


def test_what_has_no_function_has_no_examples() -> None:
    assert example_tests(task(">>> f(1)\n    2", name="")) == {}
    assert example_tests(task(">>> f(1)\n    2", name="g")) == {}


def test_many_tasks_of_humaneval_have_some() -> None:
    tasks = load(find("humaneval"))
    assert sum(bool(example_tests(each)) for each in tasks) >= 70
