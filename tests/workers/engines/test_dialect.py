"""What a server refuses is asked in another way, and remembered."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.coding.completion import read_completion
from activities.error_codes import ErrorCode
from activities.infer import InferActivity
from activities.language_model import ModelRequest
from agent.messages import Message, ToolCall
from tests.support.inference import QUESTION, TIMEOUT, WINDOW, activity_for
from tests.support.model_server import ModelServerDouble, Script, chunk, end, model_server, refused, said
from workers.engines.dialect import ONLY_THE_ACTION, on_the_wire
from workers.engines.openai_chat import OpenAIChat

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


MESSAGES = (
    Message("system", "Be brief."),
    Message("user", "Mend it."),
    Message("assistant", "I look.", (ToolCall("a", "read", '{"path": "x.py"}'), ToolCall("b", "run", "{broken"))),
    Message("tool", "x = 1", call_id="a"),
    Message("tool", "no such call", call_id="b"),
)
TOOLS = ({"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}},)
SCHEMA = {"type": "object"}
ACTION = ModelRequest(MESSAGES, None, 0.2, answer_tokens=50, thinking_tokens=0, shortens=False)
SAMPLED = ACTION._replace(tools=TOOLS, tool_choice="required", schema=SCHEMA, top_p=0.95, top_k=20, seed=7)
SAMPLING = {"top_p", "top_k", "seed"}
ACTIONS = {"tools", "tool_choice", "response_format"}


async def act(
    server: ModelServerDouble, request: ModelRequest, *scripts: Script, chat: OpenAIChat | None = None
) -> None:
    server.plays(*scripts)
    assert (await read_completion(chat or chat_for(server), request)).content == "Hello."


def chat_for(server: ModelServerDouble) -> OpenAIChat:
    return OpenAIChat(AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0), "m", TIMEOUT, WINDOW)


async def test_calls_and_their_results_are_told_as_the_protocol_has_them(server: ModelServerDouble) -> None:
    await act(server, SAMPLED, said("Hello."))
    (asked,) = server.requests
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Mend it."},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "read", "arguments": '{"path": "x.py"}'}},
                {"id": "b", "type": "function", "function": {"name": "run", "arguments": '{"arguments": "{broken"}'}},
            ],
        },
        {"role": "tool", "content": "x = 1", "tool_call_id": "a"},
        {"role": "tool", "content": "no such call", "tool_call_id": "b"},
    ]
    assert (asked["tools"], asked["tool_choice"]) == (list(TOOLS), "required")
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert (asked["top_p"], asked["top_k"], asked["seed"]) == (0.95, 20, 7)


async def test_a_tool_may_be_named_and_no_tool_means_no_choice(server: ModelServerDouble) -> None:
    await act(server, ACTION._replace(tools=TOOLS, tool_choice="read"), said("Hello."))
    assert server.requests[0]["tool_choice"] == {"type": "function", "function": {"name": "read"}}
    await act(server, ACTION._replace(tool_choice="read"), said("Hello."))
    assert server.requests[0].keys().isdisjoint(ACTIONS | SAMPLING)


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("registry.ollama.ai/library/gemma3:4b does not support tools", {"tools", "tool_choice"}),
        (
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
            {"tools", "tool_choice"},
        ),
        ("tools param requires --jinja flag", {"tools", "tool_choice"}),
        ("Tool calling is not supported with this model", {"tools", "tool_choice"}),
        ("tool_choice is not supported", {"tool_choice"}),
        ("'response_format.type' must be 'text'", {"response_format"}),
        ("response_format of type json_schema is not supported", {"response_format"}),
        ("Failed to initialize samplers: failed to parse grammar", {"response_format"}),
        ("property 'top_k' is unsupported", {"top_k"}),
        ("Unrecognized request arguments supplied: seed, top_k", {"seed", "top_k"}),
        ("top_p is not supported with this model", {"top_p"}),
    ],
)
async def test_what_makes_the_agent_act_is_left_out_where_it_is_refused(
    server: ModelServerDouble, message: str, gone: set[str]
) -> None:
    chat = chat_for(server)
    await act(server, SAMPLED, refused(400, message), said("Hello."), chat=chat)
    first, second = map(set, server.requests)
    assert first - second == gone
    assert second <= first
    await act(server, SAMPLED, said("Hello."), chat=chat)
    assert [set(request) for request in server.requests] == [second]


async def test_a_refusal_that_names_nothing_costs_the_tools_last(server: ModelServerDouble) -> None:
    vague = refused(422, "Unprocessable Entity")
    await act(server, SAMPLED, vague, vague, vague, said("Hello."))
    *_, third, last = map(set, server.requests)
    assert third >= ACTIONS
    assert last == {"messages", "model", "stream"}


async def test_a_refusal_of_messages_keeps_the_tools(server: ModelServerDouble) -> None:
    message = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
    server.plays(refused(422, message))
    chat = chat_for(server)
    with pytest.raises(ApplicationError):
        await read_completion(chat, SAMPLED)
    await act(server, SAMPLED, said("Hello."), chat=chat)
    assert server.requests[0].keys() >= ACTIONS


async def test_thoughts_are_closed_for_an_action_by_words_that_keep_the_tools(server: ModelServerDouble) -> None:
    thinks = Script(pieces=[chunk(reasoning="Hm."), end("length")])
    refusal = refused(400, "Assistant response prefill is incompatible with enable_thinking.")
    await act(server, SAMPLED._replace(thinking_tokens=9), thinks, refusal, said("Hello."))
    _, prefilled, in_words = server.requests
    assert prefilled["messages"][-1]["content"] == "<think>\nHm.\n</think>\n\n"
    assert prefilled["tools"] == list(TOOLS)
    assert in_words["messages"][-1] == {
        "role": "tool",
        "content": "no such call" + ONLY_THE_ACTION,
        "tool_call_id": "b",
    }
    assert in_words["tools"] == list(TOOLS)


@given(st.text() | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(json.dumps))
def test_arguments_are_an_object_on_the_wire_whatever_the_model_wrote(arguments: str) -> None:
    message = on_the_wire(Message("assistant", "", (ToolCall("a", "run", arguments),)))
    told = message["tool_calls"][0]["function"]["arguments"]
    assert isinstance(json.loads(told), dict)
    assert told.encode()
