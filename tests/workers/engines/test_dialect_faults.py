"""Answers come whatever server sends them: faults of public bug reports, each with its right value."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.infer import InferRequest, Message
from tests.support.dialect_faults import ANSWER, CHUNKS, ERRORS, FRAMES, MARKS, REQUESTS, TOO_LONG, Fault, longer_than
from tests.support.inference import QUESTION, activity_for, closed
from tests.support.model_server import ModelServerDouble, model_server

FAULTS = FRAMES | ERRORS | CHUNKS | MARKS | REQUESTS
TURN = "The history of tea is long, and nobody has told it all. " * 5


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


@pytest.mark.parametrize("fault", [fault for fault in FAULTS.items() if fault[1].answer], ids=lambda fault: fault[0])
async def test_an_answer_comes(server: ModelServerDouble, fault: tuple[str, Fault]) -> None:
    _, right = fault
    activity = activity_for(server.url)
    for times in (right.requests, 1):
        server.plays(right.plays)
        inference = await ActivityEnvironment().run(activity.infer, QUESTION)
        assert (inference.answer, inference.cut) == (right.answer, right.cut)
        assert inference.reasoning_chars == right.thoughts
        assert len(server.requests) <= times
        await closed(server)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS.items() if fault[1].code], ids=lambda fault: fault[0])
async def test_a_failure_is_told(server: ModelServerDouble, fault: tuple[str, Fault]) -> None:
    _, right = fault
    server.plays(right.plays)
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activity_for(server.url).infer, QUESTION)
    assert (raised.value.type, raised.value.non_retryable) == (right.code, right.final)


@pytest.mark.parametrize("name", TOO_LONG)
async def test_a_prompt_that_is_too_long_is_asked_shorter(server: ModelServerDouble, name: str) -> None:
    server.plays(longer_than(*TOO_LONG[name]))
    turns = [Message(role=role, content=TURN) for _ in range(20) for role in ("user", "assistant")]
    question = InferRequest(messages=(*turns, Message(role="user", content="Hello")))
    activity = activity_for(server.url, context_tokens=None, answer_tokens=100, thinking_tokens=0)
    inference = await ActivityEnvironment().run(activity.infer, question)
    assert inference.answer == ANSWER
    assert server.requests[-1]["messages"][-1] == {"role": "user", "content": "Hello"}
