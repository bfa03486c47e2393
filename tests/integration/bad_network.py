"""A network between two parts that a test can cut, freeze, or make lose every reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class BadNetwork:
    """Forwards TCP connections to a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._replies_pass = True
        self._takes_connections = True

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._takes_connections = False
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        """Let nothing through, and break nothing."""
        self._flows.clear()

    def lose_replies(self) -> None:
        """Let everything through to the other side, and nothing back."""
        self._replies_pass = False

    def mend(self) -> None:
        """Be a good network again; connections whose replies were lost are broken."""
        if not self._replies_pass:
            self.cut()
        self._takes_connections = self._replies_pass = True
        self._flows.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._takes_connections:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        both = {writer, there_writer}
        self._writers |= both
        try:
            await asyncio.gather(self._forward(reader, there_writer), self._forward(there_reader, writer, replies=True))
        except OSError:
            pass
        finally:
            for each in both:
                each.transport.abort()
            self._writers -= both

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool = False
    ) -> None:
        while data := await reader.read(65_536):
            await self._flows.wait()
            if replies and not self._replies_pass:
                continue
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def bad_network(redis_url: str) -> AsyncIterator[tuple[BadNetwork, str]]:
    """A network to a Redis. Yields: it, and the Redis's address through it."""
    network = BadNetwork(urlsplit(redis_url).port or 6379)
    server = await asyncio.start_server(network.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield network, f"redis://127.0.0.1:{port}/0"
    finally:
        server.close()
        network.mend()
        network.cut()
