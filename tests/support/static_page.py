"""The page's own modules, with the headers of the real app and nothing behind them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from bots.web.app import STATIC
from bots.web.guard import Guard

EMPTY = "<!doctype html><html lang=en><title>june</title><button>press</button>"


@asynccontextmanager
async def static_page(more: Sequence[BaseRoute] = ()) -> AsyncIterator[str]:
    """Serve an empty page, with june's modules under ``/static``, on a free port of loopback; gives its address."""
    routes = [Route("/", _empty), *more, Mount("/static", StaticFiles(directory=STATIC))]
    async with served(Guard(Starlette(routes=routes), [], [])) as url:
        yield f"{url}/"


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on a free port of loopback; gives its address."""
    config = uvicorn.Config(app, "127.0.0.1", 0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def _empty(_request: Request) -> Response:
    return HTMLResponse(EMPTY)


async def imported(page: Page, url: str, *modules: str) -> None:
    """Open the empty page; what the modules export is in ``june`` there."""
    await page.goto(url)
    await page.evaluate(
        """async names => {
            const modules = await Promise.all(names.map(name => import(`/static/${name}.js`)));
            window.june = Object.assign({}, ...modules);
        }""",
        list(modules),
    )
