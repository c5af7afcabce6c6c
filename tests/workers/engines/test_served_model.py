"""What servers tell of themselves: real HTTP on loopback, in the forms of llama.cpp, vLLM and others."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.exceptions import ApplicationError

from activities.benchmarks.pin_model import ServedModel
from tests.support.ports import free_port
from workers.engines.served_model import find_served
from workers.settings import EmbeddedSettings, LlmSettings

CODER = "qwen2.5-coder-1.5b-instruct"
CODER_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"


@asynccontextmanager
async def telling(answers: dict[str, Any]) -> AsyncIterator[int]:
    """Serve JSON by path, or a status; yield the port."""

    async def answer(request: Request) -> Response:
        found = answers.get(request.url.path, 404)
        return JSONResponse({"error": "no"}, found) if isinstance(found, int) else JSONResponse(found)

    app = Starlette(routes=[Route("/{path:path}", answer)])
    config = uvicorn.Config(app, "127.0.0.1", 0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server, socket = uvicorn.Server(config), config.bind_socket()
    serving = asyncio.create_task(server.serve([socket]))
    try:
        yield socket.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def listing(*names: str, owner: str = "somebody") -> dict[str, Any]:
    models = [{"id": name, "object": "model", "created": 1, "owned_by": owner} for name in names]
    return {"object": "list", "data": models}


async def found(answers: dict[str, Any], name: str | None = None, *, embedded: bool = False) -> ServedModel:
    async with telling(answers) as port:
        llm = LlmSettings(base_url="" if embedded else f"http://127.0.0.1:{port}/v1", model=CODER)
        return await find_served(llm, EmbeddedSettings(llm_port=port), name)


async def test_the_embedded_server_has_the_file_of_the_registry() -> None:
    answers = {"/v1/models": listing(CODER, owner="llamacpp"), "/props": {"build_info": "b7000-abc"}}
    served = await found(answers, embedded=True)
    assert (served.name, served.sha256) == (CODER, CODER_SHA256)
    assert re.fullmatch(r"llama\.cpp b7000-abc, xllamacpp [\d.]+", served.server)


async def test_vllm_tells_its_version() -> None:
    answers = {"/v1/models": listing("a", "b", owner="vllm"), "/version": {"version": "0.32.0"}}
    assert await found(answers, "b") == ServedModel(name="b", server="vllm 0.32.0")


async def test_of_another_server_only_its_models_are_known() -> None:
    served = await found({"/v1/models": listing(CODER)})
    assert served == ServedModel(name=CODER, server="somebody"), "the file is not june's"


async def test_a_server_without_a_list_is_taken_at_its_word() -> None:
    assert await found({}, "any") == ServedModel(name="any")


async def test_a_model_that_is_not_served_is_refused_for_good() -> None:
    with pytest.raises(ApplicationError, match="has no other; it has a, b") as refused:
        await found({"/v1/models": listing("a", "b")}, "other")
    assert (refused.value.type, refused.value.non_retryable) == ("model-refused", True)


async def test_a_server_that_is_away_or_loads_is_asked_again() -> None:
    with pytest.raises(ApplicationError) as away:
        await find_served(LlmSettings(base_url=f"http://127.0.0.1:{free_port()}/v1"), EmbeddedSettings(), None)
    assert (away.value.type, away.value.non_retryable) == ("model-unavailable", False)
    with pytest.raises(ApplicationError) as loads:
        await found({"/v1/models": 503})
    assert loads.value.type == "model-unavailable"


async def test_without_engines_nothing_is_asked() -> None:
    served = await find_served(LlmSettings(), EmbeddedSettings(), "any", has_model=False)
    assert served == ServedModel(name="any", server="none")
