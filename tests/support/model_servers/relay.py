"""A way to a server that can be cut, or fall silent, as when the server is killed or hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from workers.ports import LOOPBACK

BLOCK_BYTES = 4096


class Relay:
    """Passes bytes on to the server, and back."""

    def __init__(self, url: str) -> None:
        """Lead to the server of this URL."""
        self.url = url
        """The way through the relay."""
        self._target = urlsplit(url)
        self._open = asyncio.Event()
        self._open.set()
        self._dead = False
        self._back: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def hold(self) -> None:
        """Pass nothing back from now on."""
        self._open.clear()

    def cut(self) -> None:
        """Break off all connections without a word, and those that come."""
        self._dead = True
        for writer in self._back:
            writer.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead one connection to the server."""
        if self._dead:
            writer.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._back.append(writer)
        ways = (self._pass(reader, to_server), self._pass(from_server, writer, held=True))
        tasks = [asyncio.create_task(way) for way in ways]
        self._tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, to_server):
            end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, held: bool = False) -> None:
        try:
            while block := await source.read(BLOCK_BYTES):
                if held:
                    await self._open.wait()
                sink.write(block)
                await sink.drain()
        except ConnectionError:
            return

    async def stop(self) -> None:
        """End all connections."""
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def relay_to(url: str) -> AsyncIterator[Relay]:
    """Open a way to a server."""
    relay = Relay(url)
    server = await asyncio.start_server(relay.accept, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    relay.url = urlunsplit(urlsplit(url)._replace(netloc=f"{LOOPBACK}:{port}"))
    try:
        yield relay
    finally:
        server.close()
        await relay.stop()
