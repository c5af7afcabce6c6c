"""What a server refuses is asked in another way, and remembered."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.error_codes import ErrorCode
from activities.infer import InferActivity
from tests.support.inference import QUESTION, activity_for
from tests.support.model_server import ModelServerDouble, Script, chunk, end, model_server, refused, said

BUDGETS = {"thinking_token_budget", "thinking_budget_tokens"}
FIELDS = {"messages", "model", "stream", "stream_options", "max_tokens", "temperature", *BUDGETS}


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


async def ask(activity: InferActivity, server: ModelServerDouble, *scripts: Script) -> str:
    server.plays(*scripts)
    return (await ActivityEnvironment().run(activity.infer, QUESTION)).answer


@pytest.mark.parametrize(
    ("status", "message", "gone", "come"),
    [
        (422, "Extra inputs are not permitted: body.stream_options.include_usage", {"stream_options"}, set()),
        (400, "Unknown parameter: 'stream_options'.", {"stream_options"}, set()),
        (
            400,
            "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
            {"max_tokens"},
            {"max_completion_tokens"},
        ),
        (
            400,
            "Unsupported value: 'temperature' does not support 0.3. Only the default (1) value is supported.",
            {"temperature"},
            set(),
        ),
        (
            400,
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'. Temperature: only 1 is supported.",
            {"max_tokens", "temperature"},
            {"max_completion_tokens"},
        ),
        (400, "Streaming is not supported: set stream to false", {"stream"}, set()),
        (400, "property 'stream_options' is unsupported, did you mean 'stream'?", {"stream_options"}, set()),
        (400, "Unsupported fields: thinking_token_budget, thinking_budget_tokens", BUDGETS, set()),
        (400, "This model does not support thinking", {*BUDGETS, "stream_options"}, set()),
    ],
)
async def test_a_refused_field_is_left_out_and_that_remembered(
    server: ModelServerDouble, status: int, message: str, gone: set[str], come: set[str]
) -> None:
    activity = activity_for(server.url)
    assert await ask(activity, server, refused(status, message), said("Hello.")) == "Hello."
    assert [set(request) for request in server.requests] == [FIELDS, FIELDS - gone | come]
    assert await ask(activity, server, said("Hello.")) == "Hello."
    assert [set(request) for request in server.requests] == [FIELDS - gone | come]


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens is too large: 14000. This model supports at most 4096 completion tokens, and you provided 14000.",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]",
        "max_tokens must be less than or equal to 4096",
    ],
)
async def test_an_answer_that_is_too_long_for_a_server_is_asked_shorter(
    server: ModelServerDouble, message: str
) -> None:
    activity = activity_for(server.url)
    assert await ask(activity, server, refused(400, message), said("Hello.")) == "Hello."
    assert [request["max_tokens"] for request in server.requests] == [14000, 4096]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "System role not supported"),
        (500, "Jinja Exception: System role not supported"),
        (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        (422, "Template error: Conversation roles must alternate user/assistant/user/assistant/..."),
        (500, "After the optional system message, conversation roles must alternate user and assistant roles except"),
        (400, "Only user and assistant roles are supported!"),
    ],
)
async def test_a_template_without_a_system_role_gets_it_with_the_question(
    server: ModelServerDouble, status: int, message: str
) -> None:
    activity = activity_for(server.url)
    assert await ask(activity, server, refused(status, message), said("Hello.")) == "Hello."
    assert server.requests[-1]["messages"] == [{"role": "user", "content": "Be brief.\n\nHi?"}]


async def test_thoughts_are_closed_by_an_answer_to_go_on_with_or_by_words(server: ModelServerDouble) -> None:
    activity = activity_for(server.url)
    thoughts = Script(pieces=[chunk(reasoning="Hm."), end("length")])
    assert await ask(activity, server, thoughts, said("Hello.")) == "Hello."
    closing = server.requests[1]
    assert closing["messages"][-1] == {"role": "assistant", "content": "<think>\nHm.\n</think>\n\n"}
    assert (closing["continue_final_message"], closing["add_generation_prompt"]) == (True, False)
    assert closing["chat_template_kwargs"] == {"enable_thinking": False}
    refusal = refused(400, "Assistant response prefill is incompatible with enable_thinking.")
    assert await ask(activity, server, thoughts, refusal, said("Hello.")) == "Hello."
    closing = server.requests[2]
    assert closing["messages"][-1]["role"] == "user"
    assert "without" in closing["messages"][-1]["content"]
    assert "continue_final_message" not in closing


async def test_a_server_that_takes_next_to_nothing_is_asked_for_next_to_nothing(server: ModelServerDouble) -> None:
    activity = activity_for(server.url)
    vague = refused(422, "Unprocessable Entity")
    assert await ask(activity, server, vague, vague, said("Hello.")) == "Hello."
    assert [set(request) for request in server.requests][1:] == [
        {"messages", "model", "stream", "max_tokens", "temperature"},
        {"messages", "model", "stream"},
    ]


async def test_the_words_of_a_refusal_may_be_anywhere(server: ModelServerDouble) -> None:
    detail = [{"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"], "msg": "Extra inputs"}]
    for body in ({"object": "error", "message": {"detail": detail}}, {"detail": detail}, {"error": str(detail)}):
        refusal = Script(status=422, body=json.dumps(body), content_type="application/json")
        assert await ask(activity_for(server.url), server, refusal, said("Hello.")) == "Hello."
        assert set(server.requests[1]) == FIELDS - {"stream_options"}


async def test_what_is_refused_for_good_is_asked_a_few_times_at_most(server: ModelServerDouble) -> None:
    activity = activity_for(server.url)
    for status, times in ((400, 3), (401, 1), (404, 1)):
        with pytest.raises(ApplicationError) as raised:
            await ask(activity, server, refused(status, "No."))
        assert raised.value.type == ErrorCode.MODEL_REFUSED
        assert len(server.requests) == times
    assert await ask(activity, server, said("Hello.")) == "Hello."
    assert set(server.requests[0]) == FIELDS  # it was not the fields
