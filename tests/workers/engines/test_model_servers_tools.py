"""Ten things more that the coding agent needs of a model server that it drives by native tool calls.

The fake server runs always; vLLM, and a server of one's own, where the environment names them (CONTRIBUTING.md).
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from temporalio.exceptions import ApplicationError

from activities.coding.completion import Completion, read_completion
from activities.language_model import ModelRequest, too_long
from agent.messages import Message, ToolCall
from tests.support.model_servers import named, vllm
from tests.support.model_servers.fake import ENDLESS
from tests.support.model_servers.running import ModelServer
from tests.support.model_servers.serving import serving
from workers.engines.context_window import ContextWindow
from workers.engines.openai_chat import OpenAIChat

ELSEWHERE = {"vllm": vllm.VARIABLE, "named": named.VARIABLE}
REAL = [name for name, variable in ELSEWHERE.items() if variable in os.environ]
SERVERS = ["fake", "fake-thinking", *(pytest.param(name, marks=pytest.mark.engines) for name in REAL)]
SILENCE_SECONDS = 120.0
ANSWER_TOKENS, THINKING_TOKENS = 200, 16
"""A random model pads its arguments with blanks."""
TOKEN_CHARS = 16
"""More than a token has."""


def tool(name: str, **parameters: list[str]) -> dict[str, Any]:
    """Describe a tool whose parameters have a few values each, so that any model can call it in a few tokens."""
    properties = {key: {"type": "string", "enum": values} for key, values in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(parameters), "additionalProperties": False}
    # Without `strict` vLLM makes arguments JSON of any kind.
    function = {"name": name, "description": f"Do {name}.", "parameters": schema, "strict": True}
    return {"type": "function", "function": function}


TOOLS = (tool("turn", way=["left", "right"]), tool("stop", when=["now", "later"]))
QUESTION = (Message("system", "You drive a car."), Message("user", "There is a tree ahead."))
DONE = (
    *QUESTION,
    Message("assistant", "", (ToolCall("call-0", "turn", '{"way": "left"}'),)),
    Message("tool", "The car has turned left.", call_id="call-0"),
)


@pytest_asyncio.fixture(scope="module", params=SERVERS)
async def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ModelServer]:
    """A server that runs."""
    async with serving(request.param, tmp_path_factory.mktemp("model-server")) as running:
        yield running


def chat(server: ModelServer) -> OpenAIChat:
    client = AsyncOpenAI(base_url=server.url, api_key=server.key, max_retries=0)
    return OpenAIChat(client, server.model, SILENCE_SECONDS)


def asked(server: ModelServer, messages: tuple[Message, ...] = QUESTION, **fields: Any) -> ModelRequest:  # noqa: ANN401
    thinking_tokens = THINKING_TOKENS if server.thinks else 0
    request = ModelRequest(messages, None, 0.6, ANSWER_TOKENS, thinking_tokens, tools=TOOLS, shortens=False)
    return request._replace(top_p=0.95, top_k=20, seed=7)._replace(**fields)


async def act(server: ModelServer, messages: tuple[Message, ...] = QUESTION, **fields: Any) -> Completion:  # noqa: ANN401
    return await read_completion(chat(server), asked(server, messages, **fields))


def is_call_of(call: ToolCall, *names: str) -> bool:
    """Return whether it is a call of one of these tools with arguments that its schema allows."""
    schemas = {one["function"]["name"]: one["function"]["parameters"]["properties"] for one in TOOLS}
    arguments = json.loads(call.arguments)
    return call.name in names and all(value in schemas[call.name][key]["enum"] for key, value in arguments.items())


async def test_a_model_that_has_to_calls_a_tool(server: ModelServer) -> None:
    completion = await act(server, tool_choice="required")
    assert is_call_of(completion.calls[0], "turn", "stop")
    assert completion.calls[0].id
    assert completion.finish_reason in {"tool_calls", "stop", "length"}


@pytest.mark.parametrize("name", ["turn", "stop"])
async def test_a_model_calls_the_tool_that_is_named(server: ModelServer, name: str) -> None:
    completion = await act(server, tool_choice=name)
    assert is_call_of(completion.calls[0], name)


async def test_a_model_that_may_choose_is_read_whatever_it_does(server: ModelServer) -> None:
    completion = await act(server)
    assert completion.finish_reason
    assert not completion.is_empty or completion.thought_chars
    assert len(completion.content) <= (ANSWER_TOKENS + 1) * TOKEN_CHARS
    assert completion.prompt_tokens > 20
    assert completion.completion_tokens > 0
    await server.rests()


async def test_calls_come_in_pieces_that_make_them_whole(server: ModelServer) -> None:
    request = asked(server, thinking_tokens=0, tool_choice="turn", thoughts="")
    pieces = [delta async for delta in chat(server).stream(request)]
    calls = [piece for delta in pieces for piece in delta.calls]
    first = [piece for piece in calls if piece.number == calls[0].number]
    assert len([delta for delta in pieces if delta.calls]) > 1
    assert is_call_of(ToolCall("", first[0].name, "".join(piece.arguments for piece in first)), "turn")


async def test_thoughts_are_apart_from_calls(server: ModelServer) -> None:
    completion = await act(server, tool_choice="required")
    assert (completion.thought_chars > 0) is server.thinks
    assert completion.thought_chars <= (2 * THINKING_TOKENS + ANSWER_TOKENS) * TOKEN_CHARS
    assert "think>" not in completion.content
    await server.rests()


async def test_calls_and_results_are_read(server: ModelServer) -> None:
    assert (await act(server, DONE, tool_choice="stop")).calls
    window = ContextWindow(AsyncOpenAI(base_url=server.url, api_key=server.key, max_retries=0), server.model)
    assert await window.count(DONE, TOOLS) > await window.count(QUESTION, TOOLS) > await window.count(QUESTION)


async def test_a_call_with_broken_arguments_may_be_in_a_prompt(server: ModelServer) -> None:
    broken = Message("assistant", "I turn.", (ToolCall("call-0", "turn", '{"way": "le'),))
    assert (await act(server, (*QUESTION, broken, DONE[-1]), tool_choice="stop")).calls


async def test_an_answer_follows_a_schema(server: ModelServer) -> None:
    completion = await act(server, tools=(), schema=TOOLS[0]["function"]["parameters"])
    assert json.loads(completion.content)["way"] in {"left", "right"}


async def test_a_prompt_that_is_too_long_is_refused_with_its_size(server: ModelServer) -> None:
    long = (*DONE[:-1], Message("tool", "There is one more tree. " * server.window, call_id="call-0"))
    with pytest.raises(ApplicationError) as raised:
        await act(server, long)
    limits = too_long(raised.value)
    assert limits is not None
    assert raised.value.non_retryable
    assert limits.context_tokens == server.window
    assert limits.prompt_tokens is not None
    assert limits.prompt_tokens > server.window
    await server.rests()


async def test_cancellation_in_the_middle_frees_the_slot(server: ModelServer) -> None:
    endless = (*QUESTION, Message("user", f"Tell me a {ENDLESS} story of the tree."))
    running = asyncio.create_task(act(server, endless, answer_tokens=1200))
    await server.works()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await server.rests()
