"""Another site in a real browser: a page of its own, and names that it may let point to this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

REBOUND = "rebound.example"
"""Names of the site's own that lead to loopback, as DNS rebinding has it."""
HOME = "site.example"
RULES = f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1, MAP {HOME} 127.0.0.1"
"""For Chromium."""
PAGE = "<!doctype html><html lang=en><title>site</title><p>Read me."


@asynccontextmanager
async def foreign_site() -> AsyncIterator[str]:
    """Serve a page of another site; gives its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\nConnection: close\r\n\r\n"
        writer.write(f"{head}{PAGE}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://{HOME}:{server.sockets[0].getsockname()[1]}/"
