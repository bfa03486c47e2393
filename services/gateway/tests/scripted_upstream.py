"""A real HTTP server on a loopback port that answers as a test tells it to: also late, wrongly, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

PREDICTION = {"prediction_id": "018f0000-0000-7000-8000-000000000000", "label": "cat", "cat_probability": 0.96}


@dataclass
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which of the connections, counted from 1, it came on."""


Behaviour = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answer(
    body: object,
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: tuple[str, ...] = (),
    length: int | None = None,
) -> Behaviour:
    """Answer with a JSON document, or with bytes as they are; ``length`` declares another length than is sent."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"content-type: {content_type}",
            f"content-length: {len(content) if length is None else length}",
            *headers,
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()
        if length is not None:
            writer.close()

    return behave


async def close(received: Received, writer: asyncio.StreamWriter) -> None:
    """Close the connection instead of answering."""
    writer.close()


@dataclass
class ScriptedUpstream:
    url: str = ""
    behave: Behaviour = field(default_factory=lambda: answer(PREDICTION))
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closes its connection."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            while True:
                received = await _read_request(reader, connection)
                self.received.append(received)
                answering = asyncio.ensure_future(self.behave(received, writer))
                lost = asyncio.ensure_future(_closing(reader))
                await asyncio.wait({answering, lost}, return_when=asyncio.FIRST_COMPLETED)
                if lost.done() and not lost.cancelled():
                    self.lost.set()
                lost.cancel()
                answering.cancel()
                with suppress(asyncio.CancelledError):
                    await answering
                with suppress(asyncio.CancelledError):
                    await lost
                if self.lost.is_set() or writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.lost.set()
        finally:
            writer.close()


async def _closing(reader: asyncio.StreamReader) -> None:
    """Returns when the peer has closed; the peer sends nothing else while it waits for an answer."""
    while not reader.at_eof():  # noqa: ASYNC110 - streams have no event for it, and a read would take what is not ours
        await asyncio.sleep(0.005)


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = head.strip().split("\r\n")
    method, target, _ = request_line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection)


@asynccontextmanager
async def scripted_upstream() -> AsyncIterator[ScriptedUpstream]:
    upstream = ScriptedUpstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield upstream
