"""Statuses and words of servers become june's errors, without the key."""

import pytest

from activities.error_codes import ErrorCode
from workers.engines.openai_errors import Refusal, status_error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "No such model", "code": 404}}, "No such model"),
        ({"message": "No such model"}, "No such model"),
        (
            {"detail": [{"loc": ["body", "x"], "msg": "Extra inputs"}]},
            "[{'loc': ['body', 'x'], 'msg': 'Extra inputs'}]",
        ),
        ("No\n such  model", "No such model"),
        ({}, "{}"),
        ({"error": "No such model"}, "{'error': 'No such model'}"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(body: object, message: str) -> None:
    refusal = status_error(400, body)
    assert isinstance(refusal, Refusal)
    assert refusal.message == message
    final = refusal.final()
    assert final.type == ErrorCode.MODEL_REFUSED
    assert (final.message, final.details[0]["said"]) == ("the model server answered 400", message), (
        "messages are logged"
    )


def test_the_key_is_never_told() -> None:
    refusal = status_error(401, {"message": "Incorrect API key provided: sk-very-secret"}, "sk-very-secret")
    assert isinstance(refusal, Refusal)
    assert refusal.final().details[0]["said"] == "Incorrect API key provided: ***"


@pytest.mark.parametrize(
    ("status", "message", "of_context"),
    [
        (400, "the request exceeds the available context size, try increasing it", True),
        (400, "This model's maximum context length is 4096 tokens", True),
        (413, "Request too large for model", True),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096", True),
        (400, "'messages' is a required property", False),
    ],
)
def test_what_is_too_long_is_told_apart(status: int, message: str, of_context: bool) -> None:
    refusal = status_error(status, {"message": message})
    assert isinstance(refusal, Refusal)
    assert refusal.of_context is of_context
