"""The campaign's model server, asked by june's own client of model servers."""

from collections.abc import AsyncIterator

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities.language_model import ModelRequest
from agent.messages import Message
from workers.bench.faults.dialogue import Answered, question, read
from workers.bench.faults.model_server import MODEL, Mode, build_app
from workers.engines.openai_chat import OpenAIChat
from workers.engines.openai_client import build_client, warm_up
from workers.http import listen, serving
from workers.local.free_ports import free_ports
from workers.ports import LOOPBACK
from workers.settings import EmbeddedSettings, LlmSettings

REQUEST = ModelRequest(
    messages=(Message(role="system", content="Be kind."), Message(role="user", content=question("a1", 1))),
    model=None,
    temperature=0,
    answer_tokens=400,
    thinking_tokens=0,
)


@pytest.fixture
async def settings() -> AsyncIterator[LlmSettings]:
    port = free_ports(1)
    async with serving(build_app(), listen(LOOPBACK, port, str)):
        yield LlmSettings(base_url=f"http://{LOOPBACK}:{port}/v1", model=MODEL, first_token_seconds=5)


async def set_mode(settings: LlmSettings, mode: Mode) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{settings.base_url.removesuffix('/v1')}/mode/{mode.value}")


async def said(settings: LlmSettings) -> str:
    chat = OpenAIChat(build_client(settings, EmbeddedSettings()), MODEL, settings.first_token_seconds)
    return "".join([delta.content async for delta in chat.stream(REQUEST)])


async def test_it_answers_by_what_it_is_asked(settings: LlmSettings) -> None:
    assert await warm_up(build_client(settings, EmbeddedSettings()), settings, 1)
    assert read(await said(settings)) == Answered("a1", 1, ())


@pytest.mark.parametrize("mode", [Mode.REFUSES, Mode.BREAKS_OFF])
async def test_it_fails_until_it_is_told_otherwise(settings: LlmSettings, mode: Mode) -> None:
    await set_mode(settings, mode)
    with pytest.raises(ApplicationError, match="model server") as raised:
        await said(settings)
    assert not raised.value.non_retryable
    await set_mode(settings, Mode.WELL)
    assert read(await said(settings))
