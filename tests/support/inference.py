"""Inference as a worker of the GPU does it, against a scripted model server."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from openai import AsyncOpenAI
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.infer import Budgets, InferActivity, Inference, InferRequest, Message
from tests.support.model_server import ModelServerDouble, Script
from tests.support.waiting import until
from workers.engines.openai_chat import OpenAIChat

KEY = "sk-very-secret"
TIMEOUT, IMPATIENCE = 5.0, 0.5
"""Seconds of silence, where it is of no matter and where it is waited for."""
QUESTION = InferRequest(messages=(Message(role="system", content="Be brief."), Message(role="user", content="Hi?")))


WINDOW = 32_000
"""Tokens of the double's context, where nothing is to be asked of it but answers."""


def activity_for(
    url: str,
    *,
    silence_seconds: float = TIMEOUT,
    max_answer_chars: int = 6000,
    answer_tokens: int = 6000,
    thinking_tokens: int = 8000,
    context_tokens: int | None = WINDOW,
    thinks_first: bool = False,
    time_zone: ZoneInfo | None = None,
    silent_seconds: float = 120,
) -> InferActivity:
    client = AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)
    model = OpenAIChat(client, "default-model", silence_seconds, context_tokens)
    budgets = Budgets(max_answer_chars, answer_tokens, thinking_tokens, silent_seconds)
    return InferActivity(model, budgets, thinks_first=thinks_first, time_zone=time_zone)


async def infer(
    server: ModelServerDouble,
    *scripts: Script,
    thinks_first: bool = False,
    attempt: int = 1,
    silence_seconds: float = TIMEOUT,
) -> Inference:
    server.plays(*scripts)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    activity = activity_for(server.url, silence_seconds=silence_seconds, thinks_first=thinks_first)
    return await environment.run(activity.infer, QUESTION)


async def failure(server: ModelServerDouble, script: Script, *, silence_seconds: float = TIMEOUT) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await infer(server, script, silence_seconds=silence_seconds)
    assert KEY not in str(raised.value)
    return raised.value


async def closed(server: ModelServerDouble) -> None:
    """Wait until the server has seen that the client is gone."""
    await until(lambda: server.open_streams == 0, 2)
