"""The client of a model server, and its warm-up against a server of scripted answers."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.model_server import ModelServerDouble, model_server, refused, said
from tests.support.ports import free_port
from workers.engines.openai_client import build_client, warm_up
from workers.settings import EmbeddedSettings, LlmSettings


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


async def warm(server: ModelServerDouble, timeout_seconds: float = 5) -> bool:
    """Warm up a client of the server."""
    llm = LlmSettings(base_url=server.url, model="double")
    return await warm_up(build_client(llm, EmbeddedSettings()), llm, timeout_seconds)


async def test_a_server_that_is_not_there_keeps_no_worker_from_starting() -> None:
    llm = LlmSettings(base_url=f"http://127.0.0.1:{free_port()}/v1")
    assert not await warm_up(build_client(llm, EmbeddedSettings()), llm, timeout_seconds=0.3)


def test_the_client_leaves_retries_to_temporal() -> None:
    client = build_client(LlmSettings(first_token_seconds=7), EmbeddedSettings(llm_port=1234))
    assert client.max_retries == 0
    assert str(client.base_url) == "http://127.0.0.1:1234/v1/"
    assert client.api_key == "none"


async def test_a_server_that_still_loads_is_asked_until_it_answers(server: ModelServerDouble) -> None:
    server.plays(refused(503, "loading"), refused(503, "loading"), said("Hello."))
    assert await warm(server)
    assert [request["max_tokens"] for request in server.requests] == [1, 1, 1]
    assert [message["role"] for message in server.requests[0]["messages"]] == ["system", "user"]


async def test_a_server_that_never_answers_is_given_up(
    server: ModelServerDouble, caplog: pytest.LogCaptureFixture
) -> None:
    server.plays(refused(503, "loading"))
    assert not await warm(server, timeout_seconds=0.3)
    assert len(server.requests) > 1
    assert "does not answer" in caplog.text


async def test_a_server_that_refuses_is_not_asked_again(
    server: ModelServerDouble, caplog: pytest.LogCaptureFixture
) -> None:
    server.plays(refused(404, "no such model"))
    assert not await warm(server)
    assert len(server.requests) == 1
    assert "refuses double: 404" in caplog.text
