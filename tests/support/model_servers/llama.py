"""llama.cpp's own server with june's parameters and the smallest model; ``python -m`` serves one with a template."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from xllamacpp import CommonParams

from tests.support.model_servers.running import ModelServer, started
from tests.support.ports import free_port
from tests.workers.conftest import SMALL_MODEL
from workers.engines import llama_server
from workers.engines.llama_server import parameters
from workers.ports import LOOPBACK
from workers.settings import EmbeddedSettings, LlmSettings

KEY = "sk-of-the-llama-tests"
START_SECONDS = 180.0
TEMPLATE = Path(__file__).with_name("thinking.jinja")
"""Opens ``<think>`` as Qwen3's does, so that any model thinks."""


@asynccontextmanager
async def llama(*, thinks: bool, window: int) -> AsyncIterator[ModelServer]:
    """Serve as ``june up`` does; with a template that thinks, if asked to."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}/v1"
    settings = {
        "JUNE_LLM_MODEL": SMALL_MODEL,
        "JUNE_LLM_API_KEY": KEY,
        "JUNE_LLM_CONTEXT_TOKENS": str(window),
        "JUNE_EMBEDDED_LLM_PORT": str(port),
    }
    module = __name__ if thinks else llama_server.__name__

    server = ModelServer(url, SMALL_MODEL, KEY, window, thinks=thinks, refuses_unknown_models=False)
    async with started(server, [sys.executable, "-m", module], os.environ | settings, START_SECONDS):
        yield server


def thinking_parameters(model: Path, settings: LlmSettings, server: EmbeddedSettings) -> CommonParams:
    """Return june's parameters with the template that thinks."""
    params = parameters(model, settings, server)
    params.chat_template = TEMPLATE.read_text()
    return params


if __name__ == "__main__":
    llama_server.parameters = thinking_parameters
    os._exit(llama_server.main())
