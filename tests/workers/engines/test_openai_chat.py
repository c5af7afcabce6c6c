"""The client's side of a streamed answer; what becomes of it in an activity is in tests/activities/test_infer.py."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from temporalio.exceptions import ApplicationError

from activities.infer import InferRequest, Message
from activities.text.answer import Delta
from tests.support.model_server import ModelServerDouble, Script, chunk, model_server, said
from workers.engines.openai_chat import OpenAIChat, _read, _status_error

QUESTION = InferRequest(messages=(Message(role="user", content="Hi?"),))
ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


async def stream(server: ModelServerDouble, script: Script, request: InferRequest = QUESTION) -> list[Delta]:
    """Stream an answer to its end."""
    server.plays(script)
    chat = OpenAIChat(AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0), "default-model", 5)
    return [delta async for delta in chat.stream(request)]


async def test_pieces_are_streamed_and_the_usage_comes_last(server: ModelServerDouble) -> None:
    deltas = await stream(server, said("Hel", "lo."))
    assert "".join(delta.content for delta in deltas) == "Hello."
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]
    assert (deltas[-1].prompt_tokens, deltas[-1].completion_tokens) == (7, 5)


async def test_a_request_may_name_its_model(server: ModelServerDouble) -> None:
    await stream(server, said("Hello."), QUESTION.model_copy(update={"model": "another"}))
    assert server.requests[0]["model"] == "another"


async def test_an_answer_that_is_no_stream_is_an_error_for_a_later_attempt(server: ModelServerDouble) -> None:
    with pytest.raises(ApplicationError, match="event stream") as failed:
        await stream(server, Script(pieces=[chunk(content="Hello.")], content_type="text/html"))
    assert not failed.value.non_retryable


@given(st.text() | st.floats(min_value=0).map(str) | st.integers(0, 10**9).map(str))
def test_any_retry_after_is_a_delay_of_a_minute_at_most_or_none(header: str) -> None:
    delay = _status_error(503, "overloaded", header).next_retry_delay
    assert delay is None or timedelta(0) < delay <= timedelta(minutes=1)


@given(st.integers(100, 599))
def test_only_what_the_server_will_never_answer_is_not_retried(status: int) -> None:
    final = 400 <= status < 500 and status not in {408, 409, 425, 429}
    assert _status_error(status, "no").non_retryable is final


class Anything:
    """A chunk with any values in its fields."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)


@given(content=ANYTHING, reason=ANYTHING, tokens=ANYTHING, choices=st.booleans())
def test_chunks_of_any_shape_are_read(content: object, reason: object, tokens: object, *, choices: bool) -> None:
    choice = Anything(delta=Anything(content=content), finish_reason=reason)
    chunk = Anything(choices=[choice] if choices else content, usage=Anything(prompt_tokens=tokens))
    delta = _read(chunk)  # type: ignore[arg-type]
    assert delta.content == (content if choices and isinstance(content, str) else "")
    assert isinstance(delta.finish_reason, str)
    assert delta.prompt_tokens is None or isinstance(delta.prompt_tokens, int)
