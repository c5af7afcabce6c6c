"""One HTTP server for all that a worker serves beside its queue."""

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.ports import free_port
from workers.errors import UnavailableError
from workers.http import listen, serving


async def answer(request: Request) -> PlainTextResponse:
    """Answer, after so many seconds."""
    await asyncio.sleep(float(request.query_params.get("seconds", 0)))
    return PlainTextResponse("served")


APP = Starlette(routes=[Route("/", answer)])


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("::1", "[::1]")])
async def test_it_serves_for_as_long_as_the_block_runs(host: str, url: str) -> None:
    port = free_port()
    async with serving(APP, listen(host, port, str)), httpx.AsyncClient(base_url=f"http://{url}:{port}") as client:
        response = await client.get("/")
    assert response.text == "served"
    assert "server" not in response.headers
    listen(host, port, str).close()


async def test_requests_under_way_are_finished() -> None:
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        async with serving(APP, listen("127.0.0.1", port, str)):
            request = asyncio.create_task(client.get("/", params={"seconds": 0.3}))
            await asyncio.sleep(0.1)
        assert (await request).text == "served"


async def test_it_ends_with_who_waits_for_it() -> None:
    async def serve() -> None:
        async with serving(APP, listener, 10) as server:
            await asyncio.shield(server)

    listener = listen("127.0.0.1", free_port(), str)
    background = asyncio.create_task(serve())
    await asyncio.sleep(0.05)
    background.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(background, 5)
    assert listener.fileno() == -1


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_cannot_be_listened_on_is_explained_by_the_caller(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"^Set JUNE_X, not {port}: "):
            listen(host, port, lambda error: f"Set JUNE_X, not {port}: {error}")
