"""Twenty-five things that june needs of a model server, checked against each kind of server in the same way.

The fake server runs always, llama.cpp with the tests' models. vLLM lives in an environment of its own, and any other
server is one's own: both run where the environment names them (CONTRIBUTING.md).
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.error_codes import ErrorCode
from activities.infer import Budgets, InferActivity, Inference, InferRequest, Message, Sentence
from activities.language_model import Delta, ModelRequest
from agent import messages as prompts
from tests.support.model_servers import named, vllm
from tests.support.model_servers.fake import ENDLESS
from tests.support.model_servers.relay import relay_to
from tests.support.model_servers.running import ModelServer
from tests.support.model_servers.serving import serving
from workers.engines.context_window import ContextWindow
from workers.engines.openai_chat import OpenAIChat
from workflows.voice.contracts import Exchange, Memory
from workflows.voice.memory import SUMMARY_CHARS, SYSTEM_PROMPT, prompt, summary_prompt
from workflows.voice.summary import SUMMARY_TOKENS

ELSEWHERE = {"vllm": vllm.VARIABLE, "named": named.VARIABLE}
"""Servers that run only where the environment names them, by a variable each."""
REAL = ["llama.cpp", "llama.cpp-thinking", *(name for name, variable in ELSEWHERE.items() if variable in os.environ)]
SERVERS = ["fake", "fake-thinking", *(pytest.param(name, marks=pytest.mark.engines) for name in REAL)]
SILENCE_SECONDS = 60.0
IMPATIENT_SECONDS = 1.0
ATTEMPT = timedelta(minutes=5)
ANSWER_TOKENS, THINKING_TOKENS = 24, 16
TOKEN_CHARS = 16
"""More than a token has; usage does not tell how many there were where june stopped the model."""
LONG = f"Tell me a {ENDLESS} story about the history of tea, in many sentences."
HINDI = "नमस्ते दुनिया, आप कैसे हैं? " * 133
"""3,700 characters, more tokens than characters."""


@pytest_asyncio.fixture(scope="module", params=SERVERS)
async def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ModelServer]:
    """A server that runs."""
    async with serving(request.param, tmp_path_factory.mktemp("model-server")) as running:
        yield running


@pytest.mark.engines
@pytest.mark.parametrize("name", ELSEWHERE)
def test_servers_elsewhere_are_checked_where_they_are_named(name: str) -> None:
    if ELSEWHERE[name] not in os.environ:
        pytest.skip(f"{ELSEWHERE[name]} names none: see CONTRIBUTING.md, Check a model server")
    assert name in REAL


def user(content: str) -> Message:
    return Message(role="user", content=content)


SYSTEM = Message(role="system", content=SYSTEM_PROMPT)
QUESTION = (SYSTEM, user("What is tea?"))


def chat(server: ModelServer, *, url: str = "", key: str = "", silence: float = SILENCE_SECONDS) -> OpenAIChat:
    client = AsyncOpenAI(base_url=url or server.url, api_key=key or server.key, max_retries=0)
    return OpenAIChat(client, server.model, silence, None if silence == SILENCE_SECONDS else server.window)


def activity(
    server: ModelServer,
    *,
    url: str = "",
    key: str = "",
    silence: float = SILENCE_SECONDS,
    chars: int = 6000,
    tokens: int = ANSWER_TOKENS,
) -> InferActivity:
    budgets = Budgets(chars, tokens, THINKING_TOKENS if server.thinks else 0)
    return InferActivity(chat(server, url=url, key=key, silence=silence), budgets)


def environment(client: Any = None) -> ActivityEnvironment:  # noqa: ANN401 - a client of signals alone
    made = ActivityEnvironment(client=client) if client else ActivityEnvironment()
    made.info = replace(made.info, start_to_close_timeout=ATTEMPT, workflow_id="turn", workflow_run_id="run")
    return made


async def ask(
    server: ModelServer | InferActivity,
    messages: tuple[Message, ...] = QUESTION,
    **fields: Any,  # noqa: ANN401
) -> Inference:
    asked = server if isinstance(server, InferActivity) else activity(server)
    return await environment().run(asked.infer, InferRequest(messages=messages, **fields))


def told(messages: tuple[Message, ...]) -> tuple[prompts.Message, ...]:
    """Return messages as a model's server is asked."""
    return tuple(prompts.Message(message.role, message.content) for message in messages)


async def deltas(server: ModelServer, messages: tuple[Message, ...] = QUESTION, tokens: int = 8) -> list[Delta]:
    """Ask once, and read all that comes."""
    request = ModelRequest(told(messages), None, 0.0, answer_tokens=tokens, thinking_tokens=0)
    return [delta async for delta in chat(server).stream(request)]


async def prompt_tokens(server: ModelServer, messages: tuple[Message, ...]) -> int:
    return max(delta.prompt_tokens or 0 for delta in await deltas(server, messages, 1))


async def failure(asked: InferActivity, **fields: Any) -> ApplicationError:  # noqa: ANN401
    with pytest.raises(ApplicationError) as raised:
        await ask(asked, **fields)
    return raised.value


def turns(count: int, text: str) -> tuple[Exchange, ...]:
    return tuple(Exchange(user=f"{number} {text}", assistant=f"{number} {text}") for number in range(count))


async def test_it_answers(server: ModelServer) -> None:
    inference = await ask(server)
    assert inference.answer
    assert inference.model
    assert inference.finish_reason in {"stop", "length"}


async def test_the_answer_comes_in_pieces(server: ModelServer) -> None:
    pieces = await deltas(server)
    assert sum(bool(piece.content or piece.reasoning) for piece in pieces) > 1


async def test_usage_is_counted(server: ModelServer) -> None:
    inference = await ask(server)
    assert inference.prompt_tokens
    assert inference.prompt_tokens > len(SYSTEM_PROMPT) // 10
    assert inference.completion_tokens
    assert inference.first_token_ms is not None
    assert 0 < inference.first_token_ms <= inference.engine_ms


async def test_an_answer_s_tokens_are_bounded(server: ModelServer) -> None:
    inference = await ask(server, (SYSTEM, user(LONG)), max_tokens=8)
    assert 0 < len(inference.answer) <= 9 * TOKEN_CHARS
    assert (inference.finish_reason, inference.cut, inference.answer[-1]) == ("length", True, "…")
    await server.rests()


async def test_at_the_longest_answer_the_model_is_stopped(server: ModelServer) -> None:
    inference = await ask(activity(server, chars=60, tokens=800), (SYSTEM, user(LONG)))
    assert inference.cut
    assert 30 <= len(inference.answer) <= 62
    await server.rests()


async def test_thoughts_are_kept_apart(server: ModelServer) -> None:
    pieces = await deltas(server)
    inference = await ask(server)
    assert any(piece.reasoning for piece in pieces) is server.thinks
    assert (inference.reasoning_chars > 0) is server.thinks
    assert "think>" not in inference.answer


async def test_a_model_that_has_spent_its_thoughts_still_answers(server: ModelServer) -> None:
    inference = await ask(server, (SYSTEM, user(LONG)))
    assert 0 < len(inference.answer.strip(" …")) <= (ANSWER_TOKENS + 1) * TOKEN_CHARS
    assert inference.reasoning_chars <= (THINKING_TOKENS + 1) * TOKEN_CHARS
    await server.rests()


async def test_a_summary_comes(server: ModelServer) -> None:
    gone = turns(6, "I grow tea in a garden by the river, and my cat is called Kettle.")
    messages = summary_prompt(Memory(summary="The user is called Ada."), gone)
    inference = await ask(server, messages, max_tokens=SUMMARY_TOKENS, temperature=0.0)
    assert 0 < len(inference.answer) < 5 * SUMMARY_CHARS


@pytest.mark.slow
async def test_the_oldest_turns_are_dropped_where_all_are_too_long(server: ModelServer) -> None:
    told = "The history of tea is long, and nobody has told all of it. " * 8
    messages = prompt(Memory(window=turns(6, told)), "What is tea?")
    many = (*messages[:1], *messages[1:-1] * (1 + 3 * server.window // 1500), messages[-1])
    inference = await ask(server, many)
    assert inference.answer
    assert inference.prompt_tokens
    assert inference.prompt_tokens < server.window


async def test_a_message_that_is_too_long_by_itself_is_answered(server: ModelServer) -> None:
    question = "Tea comes from far away. " * server.window
    inference = await ask(server, (SYSTEM, user(question[:100_000])))
    assert inference.answer
    assert inference.prompt_tokens
    assert inference.prompt_tokens < server.window


async def test_much_hindi_lets_the_next_hello_be_answered(server: ModelServer) -> None:
    asked = activity(server)
    first = await ask(asked, (SYSTEM, user(HINDI)))
    assert first.answer
    memory = Memory(window=(Exchange(user=HINDI, assistant=first.answer),))
    assert (await ask(asked, prompt(memory, "Hello"))).answer


async def test_an_unknown_model_is_refused_by_its_name(server: ModelServer) -> None:
    if not server.refuses_unknown_models:
        assert (await ask(server, model="no-such-model")).answer
        return
    error = await failure(activity(server), model="no-such-model")
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_REFUSED, True)
    assert "no-such-model" in error.details[0]["said"]


async def test_a_wrong_key_is_refused(server: ModelServer) -> None:
    key = "sk-of-somebody-else"
    error = await failure(activity(server, key=key))
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_REFUSED, True)
    assert key not in str(error)


async def test_cancellation_frees_the_slot(server: ModelServer) -> None:
    running = environment()
    asked = activity(server, tokens=800)
    answer = asyncio.create_task(running.run(asked.infer, InferRequest(messages=(SYSTEM, user(LONG)))))
    await server.works()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    await server.rests()


async def test_two_are_answered_at_once(server: ModelServer) -> None:
    asked = activity(server)
    answers = await asyncio.gather(*(ask(asked, (SYSTEM, user(f"What is {what}?"))) for what in ("tea", "rain")))
    assert all(inference.answer for inference in answers)


@pytest.mark.parametrize(
    "text", ["👩‍👩‍👧 \U0001f600 \u202eHello\u202c \u2028", "Hello \ud83d", "Hello \x00 <|im_end|>"]
)
async def test_any_unicode_may_be_asked(server: ModelServer, text: str) -> None:
    assert (await ask(server, (SYSTEM, user(text)))).answer


async def test_an_empty_system_prompt_is_taken(server: ModelServer) -> None:
    assert (await ask(server, (Message(role="system", content=""), user("What is tea?")))).answer


async def test_the_system_prompt_is_read(server: ModelServer) -> None:
    without = await prompt_tokens(server, (user("What is tea?"),))
    assert await prompt_tokens(server, QUESTION) > without + len(SYSTEM_PROMPT) // 10


async def test_turns_in_alternation_are_read(server: ModelServer) -> None:
    memory = Memory(summary="The user is called Ada.", window=turns(3, "Tea is a drink."))
    messages = prompt(memory, "What is tea?")
    assert await prompt_tokens(server, messages) > await prompt_tokens(server, QUESTION)
    assert (await ask(server, messages)).answer


async def test_at_temperature_zero_the_same_is_said_again(server: ModelServer) -> None:
    await ask(server, temperature=0.0)  # from here on the prompt is in the server's cache
    first, second = [await ask(server, temperature=0.0) for _ in range(2)]
    assert first.answer == second.answer


async def test_a_refused_field_is_left_out(server: ModelServer) -> None:
    inference = await ask(server, temperature=9.0)
    assert inference.answer


async def test_a_server_that_dies_is_unavailable(server: ModelServer) -> None:
    async with relay_to(server.url) as relay:
        asked = activity(server, url=relay.url, tokens=800)
        answer = asyncio.create_task(failure(asked, messages=(SYSTEM, user(LONG))))
        await server.works()
        relay.cut()
        error = await answer
    gone = await failure(asked)
    for each in (error, gone):
        assert (each.type, each.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)
    await server.rests()


@pytest.mark.slow
async def test_a_silent_server_is_unavailable(server: ModelServer) -> None:
    async with relay_to(server.url) as relay:
        relay.hold()
        error = await failure(activity(server, url=relay.url, silence=IMPATIENT_SECONDS))
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)
    assert "silent" in error.message
    await server.rests()


async def test_its_count_of_tokens_is_the_one_of_its_usage(server: ModelServer) -> None:
    window = ContextWindow(AsyncOpenAI(base_url=server.url, api_key=server.key, max_retries=0), server.model)
    messages = prompt(Memory(window=turns(3, "नमस्ते 👩‍👩‍👧 tea")), "What is tea?")
    assert await window.count(told(messages)) == await prompt_tokens(server, messages)


@dataclass
class Signalled:
    """A client and a workflow that keep what is signalled."""

    sentences: list[Sentence] = field(default_factory=list)

    def get_workflow_handle(self, _workflow: str, *, run_id: str | None) -> "Signalled":
        assert run_id
        return self

    async def signal(self, name: str, value: Sentence) -> None:
        if name == "sentence":
            self.sentences.append(value)


async def test_sentences_are_signalled_in_order(server: ModelServer) -> None:
    signalled = Signalled()
    asked = activity(server, tokens=120)
    request = InferRequest(messages=(SYSTEM, user(LONG)), signal_sentences=True)
    inference = await environment(signalled).run(asked.infer, request)
    said = [sentence.text for sentence in signalled.sentences]
    assert said == list(inference.sentences[: len(said)])
    assert [sentence.index for sentence in signalled.sentences] == list(range(len(said)))
    assert len(said) >= len(inference.sentences) - 2
