"""Prompts are fitted into what the server can read; nobody stays stuck with one that is too long."""

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
from activities.infer import InferRequest
from activities.infer import Message as Said
from activities.language_model import ModelRequest, TooLong, too_long
from agent.messages import Message, ToolCall
from tests.support.inference import TIMEOUT, activity_for
from tests.support.model_server import ModelServerDouble, Script, model_server, refused, said
from workers.engines.context_window import ContextWindow, byte_count
from workers.engines.openai_chat import OpenAIChat

SYSTEM = Message("system", "Be brief.")
HELLO = Message("user", "Hello")


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


def turns(count: int, text: str = "नमस्ते दुनिया ") -> tuple[Message, ...]:
    """Make turns of about 150 characters each side."""
    pairs = ((Message("user", f"{n} {text * 11}"), Message("assistant", f"{n} {text * 11}")) for n in range(count))
    return tuple(message for pair in pairs for message in pair)


def said_by(messages: tuple[Message, ...]) -> tuple[Said, ...]:
    """Return messages as a conversation has them."""
    return tuple(Said.model_validate({"role": message.role, "content": message.content}) for message in messages)


def counted(tokens: int) -> Script:
    return Script(body=json.dumps({"input_tokens": tokens}), content_type="application/json")


async def ask(server: ModelServerDouble, messages: tuple[Message, ...], *scripts: Script, tokens: int | None) -> str:
    server.plays(*scripts)
    activity = activity_for(server.url, context_tokens=tokens, answer_tokens=500, thinking_tokens=0)
    return (await ActivityEnvironment().run(activity.infer, InferRequest(messages=said_by(messages)))).answer


@pytest.mark.parametrize(
    "message",
    [
        "request (5032 tokens) exceeds the available context size (2048 tokens), try increasing it",
        "This model's maximum context length is 2048 tokens. However, you requested 5532 tokens (5032 in the messages, "
        "500 in the completion). Please reduce the length of the messages or completion.",
        "Input length (5032 tokens) exceeds the maximum allowed length (2043 tokens). max_model_len",
        "prompt is too long",
        "prompt is too long: 5032 tokens > 2048 maximum",
        "The input (5032 tokens) is longer than the model's context length (2048 tokens).",
        "Requested token count exceeds the model's maximum context length of 2048 tokens. You requested a total of "
        "5532 tokens: 5032 tokens from the input messages and 500 tokens for the completion.",
        "Trying to keep the first 5032 tokens when context the overflows. However, the model is loaded with context "
        "length of only 2048 tokens",
        "Cannot truncate prompt with n_keep (5032) >= n_ctx (2048)",
        "`inputs` must have less than 2048 tokens. Given: 5032",
        "Prompt contains 5032 tokens, too large for model with 2048 maximum context length",
        "The input token count (5032) exceeds the maximum number of tokens allowed (2048)",
        "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 5032 `inputs` tokens and 500 `max_new_tokens`",
    ],
)
@pytest.mark.parametrize("status", [400, 500])
async def test_a_refusal_drops_the_oldest_turns(server: ModelServerDouble, status: int, message: str) -> None:
    messages = (SYSTEM, *turns(12), HELLO)
    refusal = refused(status, message)
    assert await ask(server, messages, refusal, said("Hello."), tokens=100_000) == "Hello."
    sent = server.requests[-1]["messages"]
    assert sent[0]["content"] == "Be brief."
    assert [message["role"] for message in sent[1:3]] == ["user", "assistant"]
    assert sent[-1]["content"] == "Hello"
    assert 3 <= len(sent) < len(messages)
    kept = [{"role": message.role, "content": message.content} for message in messages][-len(sent) + 1 :]
    assert sent[1:] == kept  # the newest


async def test_the_servers_own_count_drops_no_more_than_it_has_to(server: ModelServerDouble) -> None:
    messages = (SYSTEM, *turns(6), HELLO)
    assert (
        await ask(server, messages, counted(2000), counted(1600), counted(1400), said("Hello."), tokens=2048)
        == "Hello."
    )
    *counts, asked = server.requests
    assert len(counts) == 3
    assert len(asked["messages"]) == len(messages) - 4
    assert asked["max_tokens"] == 500


async def test_a_short_prompt_is_not_counted(server: ModelServerDouble) -> None:
    assert await ask(server, (SYSTEM, HELLO), said("Hello."), tokens=600) == "Hello."
    (asked,) = server.requests
    assert asked["max_tokens"] == 500
    assert await ask(server, (SYSTEM, HELLO), said("Hello."), tokens=300) == "Hello."
    assert server.requests[-1]["max_tokens"] == 300 - byte_count((SYSTEM, HELLO))


async def test_one_message_that_is_too_long_loses_its_middle(server: ModelServerDouble) -> None:
    long = Message("user", "First. " + "word " * 4000 + "Last?")
    no_count = refused(404, "no such path")
    assert (
        await ask(server, (SYSTEM, long), no_count, refused(413, "too large"), said("Hello."), tokens=8000) == "Hello."
    )
    sent = server.requests[-1]["messages"][-1]["content"]
    assert sent.startswith("First. ")
    assert sent.endswith("Last?")
    assert "[…]" in sent
    assert len(sent) < len(long.content)


async def test_a_server_that_refuses_everything_as_too_long_is_not_asked_for_ever(server: ModelServerDouble) -> None:
    server.plays(refused(400, "prompt is too long"))
    activity = activity_for(server.url, context_tokens=4000)
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activity.infer, InferRequest(messages=said_by((SYSTEM, HELLO))))
    assert raised.value.details == ({"status": 400, "said": "prompt is too long", "reason": "context"},)
    assert len(server.requests) <= 9
    server.plays(said("Hello."))
    inference = await ActivityEnvironment().run(activity.infer, InferRequest(messages=said_by((SYSTEM, HELLO))))
    assert inference.answer == "Hello."
    assert server.requests[-1]["max_tokens"] > 3000  # the window is what it was


def chat_for(server: ModelServerDouble, tokens: int) -> OpenAIChat:
    return OpenAIChat(AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0), "m", TIMEOUT, tokens)


class Uncounted(ContextWindow):
    """A window of a server that tells nothing."""

    def __init__(self, tokens: int) -> None:
        super().__init__(AsyncOpenAI(base_url="http://127.0.0.1:9/v1", api_key="none"), "m", tokens)
        self._counters = ()


@given(
    st.lists(st.text(max_size=200), min_size=1, max_size=9),
    st.integers(200, 3000),
    st.integers(1, 3000),
)
async def test_what_is_left_fits_and_ends_with_the_newest(texts: list[str], tokens: int, wanted: int) -> None:
    messages = [Message("assistant" if n % 2 else "user", text) for n, text in enumerate(texts)]
    if messages[-1].role == "assistant":
        messages = messages[1:] or messages
    window = Uncounted(tokens)
    fitted = await window.fit([SYSTEM, *messages], wanted)
    assert 1 <= fitted.max_tokens <= wanted
    assert fitted.messages[0] == SYSTEM
    assert fitted.messages[-1].role == messages[-1].role
    assert await window.count(fitted.messages) <= tokens


async def test_an_answer_that_is_too_long_is_shortened_and_not_the_prompt(server: ModelServerDouble) -> None:
    refusal = refused(
        400,
        "'max_tokens' or 'max_completion_tokens' is too large: 500. This model's maximum context length is 600 tokens "
        "and your request has 500 input tokens (500 > 600 - 500).",
    )
    messages = (SYSTEM, *turns(1, "word "), HELLO)
    assert await ask(server, messages, refusal, said("Hello."), tokens=None) == "Hello."
    assert len(server.requests[-1]["messages"]) == len(messages)
    assert server.requests[-1]["max_tokens"] < 500


async def test_a_window_smaller_than_the_answer_is_learned_from_the_refusal(server: ModelServerDouble) -> None:
    refusal = refused(
        400, "max_tokens=500 cannot be greater than max_model_len=256. Please request fewer output tokens."
    )
    assert await ask(server, (SYSTEM, HELLO), refusal, said("Hello."), tokens=None) == "Hello."
    assert server.requests[-1]["max_tokens"] <= 256


TOOLS = ({"type": "function", "function": {"name": "run", "description": "Run a command. " * 20}},)


def steps(count: int, output: str) -> tuple[Message, ...]:
    """Make steps of an agent: a call, and its result."""
    return tuple(
        message
        for n in range(count)
        for message in (
            Message("assistant", "", (ToolCall(f"c{n}", "run", json.dumps({"command": f"echo {n}"})),)),
            Message("tool", output, call_id=f"c{n}"),
        )
    )


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(200, 3000))
async def test_no_call_is_parted_from_its_result(turn_sizes: list[int], tokens: int) -> None:
    messages = [SYSTEM]
    for size in turn_sizes:
        messages += [HELLO, *steps(size, "word " * 40)]
    fitted = (await Uncounted(tokens).fit(messages, 50)).messages
    called = [call.id for message in fitted for call in message.calls]
    assert called == [message.call_id for message in fitted if message.role == "tool"]
    assert [message.role for message in fitted[:2]] == ["system", "user"]
    assert len(called) >= turn_sizes[-1]


async def test_what_the_model_may_call_takes_its_part_of_the_window(server: ModelServerDouble) -> None:
    window = Uncounted(1200)
    long = (SYSTEM, *turns(5, "word "), HELLO)
    plain, with_tools = await window.fit(long, 5000), await window.fit(long, 5000, tools=TOOLS)
    assert with_tools.max_tokens < plain.max_tokens
    assert byte_count(steps(1, "x")) > byte_count(steps(1, "")) > len('runecho 0{"command": ""}')


async def test_a_prompt_that_may_not_be_shortened_is_refused_with_both_sizes(server: ModelServerDouble) -> None:
    request = ModelRequest((SYSTEM, HELLO, *steps(9, "word " * 99)), None, 0.2, 100, 0, tools=TOOLS, shortens=False)
    server.plays(counted(1500))
    chat = chat_for(server, 1024)
    for _ in range(2):
        with pytest.raises(ApplicationError) as raised:
            await read_completion(chat, request)
        assert too_long(raised.value) == TooLong(1500, 1024)
        assert raised.value.non_retryable
    assert all("stream" not in request for request in server.requests)  # it was only counted
    assert server.requests[0]["tools"] == list(TOOLS)
    assert server.requests[0]["messages"][3]["tool_call_id"] == "c0"


async def test_a_server_that_finds_it_too_long_is_believed(server: ModelServerDouble) -> None:
    request = ModelRequest((SYSTEM, HELLO, *steps(9, "word " * 99)), None, 0.2, 100, 0, shortens=False)
    told = refused(400, "request (5032 tokens) exceeds the available context size (2048 tokens), try increasing it")
    chat = chat_for(server, 100_000)
    server.plays(told, refused(404, "no such path"))
    with pytest.raises(ApplicationError) as raised:
        await read_completion(chat, request)
    limits = too_long(raised.value)
    assert limits is not None
    assert limits.context_tokens == 2048
    assert limits.prompt_tokens is not None
    assert limits.prompt_tokens >= 5000
    server.plays(said("Hello."))
    assert (await read_completion(chat, request._replace(messages=(SYSTEM, HELLO)))).content == "Hello."
    assert server.requests[-1]["max_tokens"] == 100


async def test_a_refusal_without_figures_is_told_as_one_of_the_context(server: ModelServerDouble) -> None:
    server.plays(refused(400, "prompt is too long"))
    with pytest.raises(ApplicationError) as raised:
        await read_completion(
            chat_for(server, 100_000), ModelRequest((SYSTEM, HELLO), None, 0.2, 100, 0, shortens=False)
        )
    assert too_long(raised.value) == TooLong(None, None)
    assert len(server.requests) == 1
