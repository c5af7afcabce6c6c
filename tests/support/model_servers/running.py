"""A model server that runs, as the conformance tests see it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from tests.support.waiting import until

POLL_SECONDS = 0.2
BEGIN_SECONDS = 60.0
"""Timeout for an answer's beginning."""
UNTOLD_SECONDS = 0.5
"""What is waited for a server that does not tell how busy it is."""
FREE_SECONDS = 10.0
_REQUESTS = re.compile(r"^vllm:num_requests_(?:running|waiting)\{[^}]*\} ([\d.]+)", re.MULTILINE)


@dataclass(frozen=True)
class ModelServer:
    """Where a server is, and what it claims of itself."""

    url: str
    """Ends in ``/v1``."""
    model: str
    key: str
    window: int
    """Tokens of its context."""
    thinks: bool = False
    refuses_unknown_models: bool = True
    """llama.cpp's answers with the one that it has."""

    async def busy(self) -> int | None:
        """Count the answers that it is writing, as llama.cpp or vLLM tells them; None for one that does not."""
        root = self.url.removesuffix("/v1")
        async with self.http() as client:
            slots = await client.get(f"{root}/slots")
            if slots.is_success:
                return sum(bool(slot["is_processing"]) for slot in slots.json())
            requests = _REQUESTS.findall((await client.get(f"{root}/metrics")).text)
        return round(sum(map(float, requests))) if requests else None

    async def works(self) -> None:
        """Wait until it is writing an answer."""

        async def is_busy() -> bool:
            return await self.busy() != 0

        await until(is_busy, BEGIN_SECONDS)
        if await self.busy() is None:
            await asyncio.sleep(UNTOLD_SECONDS)

    async def rests(self) -> None:
        """Wait until it is writing none."""

        async def is_free() -> bool:
            return not await self.busy()

        await until(is_free, FREE_SECONDS)

    def http(self) -> httpx2.AsyncClient:
        """Return a client that may ask it."""
        return httpx2.AsyncClient(headers={"Authorization": f"Bearer {self.key}"})

    async def lists_models(self) -> bool:
        """Return whether it is there."""
        try:
            async with self.http() as client:
                return (await client.get(f"{self.url}/models")).is_success
        except httpx2.HTTPError:
            return False


@asynccontextmanager
async def started(
    server: ModelServer, command: list[str], environment: dict[str, str], seconds: float
) -> AsyncIterator[ModelServer]:
    """Run a server as a process of its own, and wait until it lists its models."""
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        async with asyncio.timeout(seconds):
            while not await server.lists_models():
                if process.returncode is not None:
                    raise ChildProcessError(f"{command[0]} ended with {process.returncode}")
                await asyncio.sleep(POLL_SECONDS)
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
