"""What a task may be."""

import pytest
from pydantic import TypeAdapter, ValidationError

from agent.tasks.task import Asserts, BenchmarkTask, Cases, Scoring

TASK = BenchmarkTask(
    id="double",
    text="Write double.",
    files={},
    prompt="Write double.",
    answer_path="solution.py",
    reference={"solution.py": "def double(n): return 2 * n"},
    scoring=Asserts(module="solution", function="double", name="double", asserts=("assert double(1) == 2",)),
)


def test_it_is_a_value_that_json_holds() -> None:
    assert BenchmarkTask.model_validate_json(TASK.model_dump_json()) == TASK


def test_scoring_is_told_by_its_form() -> None:
    scoring: TypeAdapter[Scoring] = TypeAdapter(Scoring)
    read = scoring.validate_python({"form": "cases", "module": "m", "function": "f", "cases": [[1]]})
    assert read == Cases(module="m", function="f", cases=([1],))


@pytest.mark.parametrize("wrong", [{"form": "none"}, {"form": "asserts", "asserts": ()}, {"more": 1}])
def test_what_is_no_task_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BenchmarkTask.model_validate({**TASK.model_dump(), "scoring": {**TASK.scoring.model_dump(), **wrong}})
