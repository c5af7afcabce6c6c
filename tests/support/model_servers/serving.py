"""Start a model server by its name, or say why it is not there."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.model_servers import named, vllm
from tests.support.model_servers.fake import fake
from tests.support.model_servers.llama import llama
from tests.support.model_servers.running import ModelServer
from tests.workers.conftest import SMALL_MODEL
from workers.settings import StorageSettings

WINDOW = 768
"""Tokens: few, as two cores read a hundred a second."""


@asynccontextmanager
async def serving(name: str, folder: Path, window: int = WINDOW) -> AsyncIterator[ModelServer]:
    """Serve.

    Args:
        name: of the kind of server.
        folder: for what a server has to save.
        window: of llama.cpp's context, in tokens; the others have their own.

    """
    if name.startswith("fake"):
        starting = fake(thinks=name.endswith("thinking"))
    elif name.startswith("llama.cpp"):
        if not (StorageSettings().models / SMALL_MODEL).exists():
            pytest.skip("the models are not there: make models")
        starting = llama(thinks=name.endswith("thinking"), window=window)
    elif name == "vllm":
        if vllm.VARIABLE not in os.environ:
            pytest.skip(f"{vllm.VARIABLE} names no Python with vLLM: see CONTRIBUTING.md")
        starting = vllm.vllm(os.environ[vllm.VARIABLE], folder)
    else:
        if named.VARIABLE not in os.environ:
            pytest.skip(f"{named.VARIABLE} names no model server: see CONTRIBUTING.md")
        starting = named.named()
    async with starting as running:
        yield running
