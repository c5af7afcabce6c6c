"""llama.cpp's server as a process of its own, and the client that june uses."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from openai.types.chat import ChatCompletionMessageParam

from activities.coding.completion import read_completion
from activities.language_model import ModelRequest
from activities.text.moment import dated
from agent.messages import Message
from agent.prompt import Driver, Window, build
from agent.step import Reply, interpret
from agent.transcript import Entry, Observation, Task
from tests.support.ports import free_port
from workers.engines.dialect import Dialect
from workers.engines.openai_chat import OpenAIChat
from workers.engines.openai_client import build_client, warm_up
from workers.settings import EmbeddedSettings, LlmSettings
from workflows.voice.memory import SYSTEM_PROMPT

ChatMessages = list[ChatCompletionMessageParam]

COMMAND = (sys.executable, "-m", "workers.engines.llama_server")
MODEL = "smollm2-135m-instruct"
LLM = LlmSettings(model=MODEL, first_token_seconds=300)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server on a free port; it must end at SIGTERM."""
    port = free_port()
    environment = os.environ | {"JUNE_LLM_MODEL": MODEL, "JUNE_EMBEDDED_LLM_PORT": str(port)}
    with subprocess.Popen(COMMAND, env=environment) as server:
        yield port
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=15) == 0


@pytest.mark.engines
async def test_the_server_answers_in_june_s_own_way(port: int) -> None:
    llm = LlmSettings(model=MODEL)
    client = build_client(llm, EmbeddedSettings(llm_port=port))
    assert await warm_up(client, llm)
    answer = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "What is two plus two?"}], max_tokens=20
    )
    assert answer.choices[0].message.content
    assert [model.id async for model in client.models.list()] == [MODEL]


@pytest.mark.engines
async def test_a_turn_reads_no_more_than_what_is_new(port: int) -> None:
    llm = LlmSettings(model=MODEL)
    client = build_client(llm, EmbeddedSettings(llm_port=port))
    assert await warm_up(client, llm)
    long = " ".join(f"The house number {n} has {n + 2} windows." for n in range(30))
    asked: ChatMessages = [{"role": "system", "content": SYSTEM_PROMPT}]
    before = None
    for minute, text in enumerate((long, "How many houses are there?")):
        moment = datetime(2026, 11, 27, 13, minute, tzinfo=UTC)
        asked.append({"role": "user", "content": dated(text, moment, ZoneInfo("Europe/Berlin"), before)})
        before = moment
        completion = await client.chat.completions.create(model=MODEL, messages=asked, max_tokens=10)
        asked.append({"role": "assistant", "content": completion.choices[0].message.content})
    assert completion.usage is not None
    assert completion.usage.prompt_tokens_details is not None
    assert completion.usage.prompt_tokens > 300
    assert completion.usage.prompt_tokens - (completion.usage.prompt_tokens_details.cached_tokens or 0) < 50


@pytest.mark.engines
async def test_web_pages_of_others_may_not_ask(port: int) -> None:
    llm = LlmSettings(model=MODEL)
    assert await warm_up(build_client(llm, EmbeddedSettings(llm_port=port)), llm)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        foreign = await client.get("/v1/models", headers={"Origin": "http://evil.example"})
    assert foreign.headers.get("access-control-allow-origin") not in ("*", "http://evil.example")


@pytest.mark.slow
def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    environment = os.environ | {"JUNE_HOME": str(tmp_path)}
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("june: ")
    assert "june models pull" in done.stderr
    assert "Traceback" not in done.stderr


def step(messages: tuple[Message, ...], schema: dict[str, Any] | None) -> ModelRequest:
    return ModelRequest(messages, None, 0.0, answer_tokens=400, thinking_tokens=0, schema=schema, seed=1)


@pytest.mark.engines
async def test_an_answer_follows_a_schema_that_the_model_is_not_told_of(port: int) -> None:
    client = build_client(LLM, EmbeddedSettings(llm_port=port))
    assert await warm_up(client, LLM)
    kettle = {
        "type": "object",
        "properties": {"kettle": {"enum": ["on", "off"]}, "cups": {"type": "integer"}},
        "required": ["kettle", "cups"],
        "additionalProperties": False,
    }
    model = OpenAIChat(client, MODEL, LLM.first_token_seconds, LLM.context_tokens)
    pieces = [delta.content async for delta in model.stream(step((Message("user", "What is tea?"),), kettle))]
    answer = json.loads("".join(pieces))
    assert answer.keys() == {"kettle", "cups"}
    assert answer["kettle"] in {"on", "off"}
    assert isinstance(answer["cups"], int)
    assert sum(map(bool, pieces)) > 3


@pytest.mark.engines
async def test_a_step_of_the_agent_reads_no_more_than_what_is_new(port: int) -> None:
    client = build_client(LLM, EmbeddedSettings(llm_port=port))
    assert await warm_up(client, LLM)
    model = OpenAIChat(client, MODEL, LLM.first_token_seconds, LLM.context_tokens)
    window = Window(LLM.context_tokens, answer_tokens=200)
    entries: list[Entry] = [Task(text="Write hello.py, which prints hello.", test_command=None, files=())]
    prompt = build(entries, Driver.SCHEMA, window)
    completion = await read_completion(model, step(prompt.messages, prompt.schema))
    turn = interpret(1, Reply(completion.content, completion.calls, completion.finish_reason))
    assert turn.action, turn.problem
    entries += [turn, Observation(step=1, text="hello.py is written.")]
    prompt = build(entries, Driver.SCHEMA, window)
    request = step(prompt.messages, prompt.schema)
    stream = await client.chat.completions.create(
        model=MODEL, messages=[], extra_body=Dialect().fields(request, request.messages, 400), stream=True
    )
    chunks = [chunk async for chunk in stream]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert interpret(2, Reply(said)).action
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens > completion.prompt_tokens > 200
    # What the model wrote itself is written anew in the prompt.
    assert usage.prompt_tokens - (usage.prompt_tokens_details.cached_tokens or 0) < completion.completion_tokens + 60
