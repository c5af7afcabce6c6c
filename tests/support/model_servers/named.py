"""A model server of one's own, named by the environment."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.support.model_servers.running import ModelServer

VARIABLE = "JUNE_CONFORMANCE_URL"
"""The server's base URL, such as ``http://gpu-box:8000/v1``."""
MODEL_VARIABLE = "JUNE_CONFORMANCE_MODEL"
KEY_VARIABLE = "JUNE_CONFORMANCE_KEY"
THINKS_VARIABLE = "JUNE_CONFORMANCE_THINKS"
"""Not empty: its model thinks."""
WINDOW = 32_000
"""Tokens of its context, where it does not tell them."""


@asynccontextmanager
async def named() -> AsyncIterator[ModelServer]:
    """Ask the server which model it has, unless one is named."""
    url, key = os.environ[VARIABLE], os.environ.get(KEY_VARIABLE, "none")
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client:
        listed = (await client.get(f"{url}/models")).raise_for_status().json()["data"]
    name = os.environ.get(MODEL_VARIABLE) or listed[0]["id"]
    model: dict[str, Any] = next((model for model in listed if model["id"] == name), {})
    window = model.get("max_model_len") or model.get("meta", {}).get("n_ctx") or WINDOW

    yield ModelServer(url, name, key, window, thinks=bool(os.environ.get(THINKS_VARIABLE)))
