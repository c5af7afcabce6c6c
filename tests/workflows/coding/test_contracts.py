"""What a coding task takes."""

import json

import pytest
from pydantic import ValidationError

from workflows.coding.contracts import MAX_TASK_CHARS, CodingRequest


def test_a_task_by_hand_is_a_sentence() -> None:
    request = CodingRequest.model_validate_json(json.dumps({"task": "Write a haiku into haiku.txt."}))
    assert (request.folder, request.workspace, request.test_command, request.limits.steps) == (None, None, None, 40)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"task": ""},
        {"task": "x" * (MAX_TASK_CHARS + 1)},
        {"task": "x", "test": "make"},
        {"task": "x", "limits": {"steps": 0}},
        {"task": "x", "temperature": 3},
    ],
)
def test_what_is_wrong_is_refused_and_not_quoted(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        CodingRequest.model_validate({**fields, "secret": "planted"} if "test" in fields else fields)
    assert "planted" not in str(refused.value)
