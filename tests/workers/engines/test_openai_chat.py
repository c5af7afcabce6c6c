"""OpenAI's protocol against a real HTTP server of scripted answers: what is asked, and what each failure means."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.infer import Budgets, InferActivity
from activities.language_model import ModelRequest
from agent.messages import Message
from tests.support.inference import IMPATIENCE, KEY, QUESTION, TIMEOUT, WINDOW, activity_for, closed, failure, infer
from tests.support.model_server import Cut, ModelServerDouble, Script, chunk, end, event, model_server, refused, said
from tests.support.waiting import until
from workers.engines.completion_stream import read_completion
from workers.engines.openai_chat import OpenAIChat
from workers.engines.openai_errors import Refusal, status_error

BUDGETS = Budgets(answer_chars=100, answer_tokens=100, thinking_tokens=100)
ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


async def test_request_is_what_such_servers_take(server: ModelServerDouble) -> None:
    await infer(server, said("Hello."))
    (request,) = server.requests
    assert request["model"] == "default-model"
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}]
    assert request["stream"] is True
    assert request["stream_options"] == {"include_usage": True}


async def test_odd_chunks_are_passed_over(server: ModelServerDouble) -> None:
    values: list[object] = [[], "x", {"choices": None}, {"choices": [None]}, {"choices": [{"delta": 3}]}]
    odd = [event(value) for value in values]
    odd += [chunk(content=["x"]), chunk(content=None), ": a comment\n\n", "event: ping\ndata: {}\n\n"]
    inference = await infer(server, Script(pieces=[*odd, chunk(content="Hello."), end()]))
    assert inference.answer == "Hello."


async def test_a_turn_of_a_conversation_is_asked_in_these_bytes(server: ModelServerDouble) -> None:
    server.plays(Script(pieces=[chunk(reasoning="Hm."), end("length")]), said("Hello."))
    assert (await ActivityEnvironment().run(activity_for(server.url).infer, QUESTION)).answer == "Hello."
    question = b'{"role":"system","content":"Be brief."},{"role":"user","content":"Hi?"}'
    assert server.bodies == [
        b'{"model":"default-model","messages":[' + question + b'],"max_tokens":14000,"temperature":0.3,'
        b'"stream":true,"stream_options":{"include_usage":true},'
        b'"thinking_token_budget":8000,"thinking_budget_tokens":8000}',
        b'{"model":"default-model","messages":['
        + question
        + b',{"role":"assistant","content":"<think>\\nHm.\\n</think>\\n\\n"}],"max_tokens":6000,"temperature":0.3,'
        b'"stream":true,"stream_options":{"include_usage":true},"chat_template_kwargs":{"enable_thinking":false},'
        b'"add_generation_prompt":false,"continue_final_message":true}',
    ]


@pytest.mark.slow
async def test_usage_that_never_comes_costs_nothing_but_itself(server: ModelServerDouble) -> None:
    finish = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    for rest in (Cut(), 30.0):
        inference = await infer(server, Script(pieces=[chunk(content="Hello."), finish, rest]), silence_seconds=1.5)
        assert (inference.answer, inference.prompt_tokens) == ("Hello.", None)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_transient_errors_are_retried(server: ModelServerDouble, status: int) -> None:
    error = await failure(server, refused(status, "Loading model"))
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)
    assert error.message.endswith(str(status))
    assert error.details == ({"said": "Loading model"},)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("0.5", 0.5), ("9999", 60), ("-1", None), ("soon", None), ("", None)]
)
async def test_retry_after_is_honoured(server: ModelServerDouble, value: str, seconds: float | None) -> None:
    error = await failure(server, refused(429, **{"retry-after": value}))
    assert error.next_retry_delay == (timedelta(seconds=seconds) if seconds else None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_refusals_are_final(server: ModelServerDouble, status: int) -> None:
    error = await failure(server, refused(status, f"No such thing for {KEY}. " * 50))
    assert isinstance(error, BadInputError)
    assert error.type == ErrorCode.MODEL_REFUSED
    assert error.message.endswith(str(status))
    (details,) = error.details
    assert details["status"] == status
    assert details["said"].startswith("No such thing for ***")
    assert len(details["said"]) < 350


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "request (5032 tokens) exceeds the available context size (2048 tokens), try increasing it",
    ],
)
async def test_prompt_that_is_too_long_is_told_apart(server: ModelServerDouble, message: str) -> None:
    error = await failure(server, refused(400, message))
    assert error.details == ({"status": 400, "said": message, "reason": "context"},)


async def test_placeholder_of_a_key_is_no_secret(server: ModelServerDouble) -> None:
    server.plays(refused(404, "no such model: xyz"))
    client = AsyncOpenAI(base_url=server.url, api_key="x", max_retries=0)
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(InferActivity(OpenAIChat(client, "xyz", 1, WINDOW), BUDGETS).infer, QUESTION)
    assert raised.value.details[0]["said"] == "no such model: xyz"


async def test_no_server() -> None:
    with pytest.raises(ApplicationError, match="no connection") as raised:
        await ActivityEnvironment().run(activity_for("http://127.0.0.1:9/v1").infer, QUESTION)
    assert (raised.value.type, raised.value.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Script(pieces=[30.0]), "silent"),
        (Script(pieces=[chunk(content="Hel"), 30.0]), "silent"),
        (Script(pieces=[chunk(content="Hel"), ": ping\n\n", 0.3, ": ping\n\n", 0.3, ": ping\n\n", 0.3]), "silent"),
        (Script(pieces=[chunk(content="Hel"), Cut()]), "connection"),
        (Script(pieces=["data: {not json\n\n"]), "not JSON"),
        (Script(pieces=["data: " + "[" * 200_000 + "\n\n"]), "not JSON"),
        (Script(pieces=["no event stream at all\n\n"]), "broke off"),
        (Script(body="<html>A proxy's page</html>", content_type="text/html"), "event stream"),
        (Script(pieces=[event({"error": {"message": "out of memory", "code": 500}})]), "out of memory"),
    ],
)
async def test_streams_that_fail_are_retried(server: ModelServerDouble, script: Script, message: str) -> None:
    error = await failure(server, script, silence_seconds=IMPATIENCE if message == "silent" else TIMEOUT)
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)
    assert message in f"{error.message} {error.details}"
    await closed(server)


async def test_refusal_within_a_stream_is_final(server: ModelServerDouble) -> None:
    error = await failure(server, Script(pieces=[event({"error": {"message": "bad grammar", "code": 400}})]))
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_REFUSED, True)


async def test_cancellation_frees_the_servers_slot(server: ModelServerDouble) -> None:
    server.plays(Script(pieces=[chunk(content="Hello. "), 30.0]))
    environment = ActivityEnvironment()
    client = AsyncOpenAI(base_url=server.url, api_key=KEY, max_retries=0)
    running = asyncio.create_task(
        environment.run(InferActivity(OpenAIChat(client, "m", 30, WINDOW), BUDGETS).infer, QUESTION)
    )
    await until(lambda: server.open_streams == 1, 2)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await closed(server)


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("thinks_first", [False, True])
async def test_thoughts_beside_content(server: ModelServerDouble, name: str, thinks_first: bool) -> None:
    pieces = [chunk(role="assistant", content=None), chunk(**{name: "Hm. "}), chunk(**{name: "So."})]
    script = Script(pieces=[*pieces, chunk(content="Hello."), end()])
    inference = await infer(server, script, thinks_first=thinks_first)
    assert (inference.answer, inference.sentences, inference.reasoning_chars) == ("Hello.", ("Hello.",), 7)


async def test_a_request_may_name_its_model(server: ModelServerDouble) -> None:
    server.plays(said("Hello."))
    chat = OpenAIChat(AsyncOpenAI(base_url=server.url, api_key=KEY, max_retries=0), "default-model", TIMEOUT)
    request = ModelRequest((Message("user", "Hi?"),), "another", 0.3, answer_tokens=10, thinking_tokens=0)
    assert "".join([delta.content async for delta in chat.stream(request)]) == "Hello."
    assert server.requests[0]["model"] == "another"


@given(st.text() | st.floats(min_value=0).map(str) | st.integers(0, 10**9).map(str))
def test_any_retry_after_is_a_delay_of_a_minute_at_most_or_none(header: str) -> None:
    error = status_error(503, "overloaded", retry_after=header)
    assert isinstance(error, ApplicationError)
    delay = error.next_retry_delay
    assert delay is None or timedelta(0) < delay <= timedelta(minutes=1)


@given(st.integers(100, 599))
def test_only_what_the_server_will_never_answer_is_not_retried(status: int) -> None:
    final = 400 <= status < 500 and status not in {408, 409, 425, 429}
    assert isinstance(status_error(status, "no"), Refusal) is final


@given(content=ANYTHING, reason=ANYTHING, tokens=ANYTHING, choices=st.booleans())
def test_chunks_of_any_shape_are_read(content: object, reason: object, tokens: object, *, choices: bool) -> None:
    choice = {"delta": {"content": content}, "finish_reason": reason}
    delta = read_completion({"choices": [choice] if choices else content, "usage": {"prompt_tokens": tokens}})
    assert delta.content == (content if choices and isinstance(content, str) else "")
    assert isinstance(delta.finish_reason, str)
    assert delta.prompt_tokens is None or isinstance(delta.prompt_tokens, int)
