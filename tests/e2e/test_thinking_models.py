"""The whole way with models that think, on llama.cpp and vLLM: turns are answered, the summary comes, within bounds."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pydantic import SecretStr

from activities.error_codes import ErrorCode
from activities.infer import Inference
from bots.intake import accept
from tests.e2e.test_real_engines import LIGHT
from tests.support.chat import PLATFORM, Chat, activities_of
from tests.support.encryption import opened_history
from tests.support.model_servers.running import ModelServer
from tests.support.model_servers.serving import serving
from tests.support.waiting import until
from tests.workers.conftest import prepared_home
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.settings import LlmSettings
from workflows.voice.contracts import VoiceMessageRequest
from workflows.voice.conversation import Conversation
from workflows.voice.memory import SUMMARY_CHARS, WINDOW_TURNS

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

ANSWER_TOKENS, THINKING_TOKENS = 30, 20
SUMMARY_SECONDS = 120
"""It is taken once nobody has spoken for a while, and tried again where that was too soon."""
TOKEN_CHARS = 16
"""More than a token has."""


@pytest.fixture(scope="module", params=["llama.cpp-thinking", "vllm"])
async def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ModelServer]:
    """A server whose model thinks for longer than it may."""
    folder = tmp_path_factory.mktemp("model-server")
    async with serving(request.param, folder, LlmSettings().context_tokens) as running:
        yield running


@pytest.fixture(scope="module")
async def stack(server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """A june that asks this server, as an operator names it."""
    storage = prepared_home(tmp_path_factory.mktemp("june") / "home")
    llm = LlmSettings(
        base_url=server.url,
        model=server.model,
        api_key=SecretStr(server.key),
        answer_tokens=ANSWER_TOKENS,
        thinking_tokens=THINKING_TOKENS,
    )
    async with Embedded(storage, own_ports(), llm, optional=()) as running:
        yield running


@pytest.fixture(scope="module")
async def chat(stack: Embedded) -> Chat:
    chat = Chat(stack)
    await chat.open()
    return chat


async def type_in(stack: Embedded, chat: Chat, text: str) -> str:
    message = uuid4().hex
    await accept(stack.client, VoiceMessageRequest(platform=PLATFORM, chat=chat.name, message=message, text=text))
    return message


async def inference_of(chat: Chat, message: str) -> Inference:
    ran = activities_of(await opened_history(chat.turn(message)))
    (inferred,) = [each for each in ran if each.name == "infer"]
    return Inference.model_validate(json.loads(inferred.output))


def is_bounded(inference: Inference) -> bool:
    return (
        0 < len(inference.answer) <= (ANSWER_TOKENS + 1) * TOKEN_CHARS
        and 0 < inference.reasoning_chars <= 2 * (THINKING_TOKENS + 1) * TOKEN_CHARS
        and "think>" not in inference.answer
    )


async def test_a_spoken_question_is_answered(chat: Chat) -> None:
    message = await chat.point(str(LIGHT))
    result = await chat.result(message)
    assert result.status == "answered"
    assert chat.text(message).strip()
    assert is_bounded(await inference_of(chat, message))


async def test_a_conversation_goes_on_and_its_summary_comes(stack: Embedded, chat: Chat) -> None:
    answered = 0
    for number in range(3 * WINDOW_TURNS):
        message = await type_in(stack, chat, f"What is {number} and {number}?")
        result = await chat.result(message)
        if result.error is ErrorCode.MODEL_EMPTY:
            continue  # so small a model says nothing now and then, by the time that it is told
        assert result.status == "answered"
        assert is_bounded(await inference_of(chat, message))
        answered += 1
        if answered == WINDOW_TURNS:
            break
    assert answered == WINDOW_TURNS

    async def summarised() -> bool:
        return bool((await chat.conversation.query(Conversation.history)).summary)

    await until(summarised, SUMMARY_SECONDS)
    memory = await chat.conversation.query(Conversation.history)
    assert len(memory.summary) <= SUMMARY_CHARS
    assert len(memory.window) <= WINDOW_TURNS
    assert "think>" not in memory.summary
