"""Calls to one service over HTTP/1.1, on a bounded number of connections that are kept.

A general client spends more on one call than the rest of the gateway does on a whole request. This one does what a
service behind us needs: no redirects, cookies, proxies or compression, and no timer of its own but while it connects.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

from gateway.http_connection import HttpConnection
from gateway.places import Places
from gateway.transport import (
    MAX_ANSWER_BYTES,
    Answer,
    AnswerBroken,
    AnswerStream,
    Call,
    Content,
    NotAnswered,
    TransportError,
)

CONNECT_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 60.0
"""Below that of the services' servers, so that the gateway is the side that closes an idle connection."""
ADDRESSES_SECONDS = 5.0
"""How long the addresses of a name are taken for those that it has."""
STREAM_SILENCE_SECONDS = 45.0
"""Three heartbeats of the monitor's stream: after so much silence it counts as broken."""
STREAM_BUFFER_BYTES = 64 * 1024
"""Of a stream whose reader is slow; what follows waits at the service."""


class HttpTransport:
    """A call that finds all ``connections`` in use waits for one. Open while it is entered."""

    def __init__(self, url: str, *, connections: int) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._security = ssl.create_default_context() if parts.scheme == "https" else None
        self._prefix = parts.path.rstrip("/")
        self._host_header = f" HTTP/1.1\r\nhost: {_without_user(parts)}\r\n"
        self._places = Places(connections)
        self._idle: dict[str, list[HttpConnection]] = {}
        self._addresses: list[str] = []
        self._addresses_until = 0.0
        self._turn = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._drop_idle_connections(self._idle)

    async def send(self, call: Call) -> Answer:
        await self._places.take()
        try:
            connection = await self._connection()
            receiver = _WholeAnswer()
            try:
                connection.call(self._request(call), receiver)
                answer = await receiver.answer
            except BaseException:
                connection.abort()
                raise
            self._keep(connection)
            return answer
        finally:
            self._places.give_back()

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AnswerStream]:
        await self._places.take()
        try:
            connection = await self._connection()
            receiver = _StreamedAnswer(connection)
            try:
                connection.call(self._request(call), receiver)
                status, headers = await receiver.head
                yield AnswerStream(status, headers, receiver.chunks())
            finally:
                if connection.is_reusable:
                    self._keep(connection)
                else:
                    connection.abort()
        finally:
            self._places.give_back()

    async def _connection(self) -> HttpConnection:
        """To the address whose turn it is, where nobody answers there to the one after it. Raises: NotAnswered."""
        try:
            if asyncio.get_running_loop().time() >= self._addresses_until or not self._addresses:
                await self._look_up_addresses()
            addresses = self._addresses_in_turn()
            for address in addresses:
                if connection := self._idle_connection(address):
                    return connection
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS / len(addresses)):
                        return await self._connect(address)
                self._addresses_until = 0.0  # a replica may have gone: look again
        except (OSError, TimeoutError) as error:
            raise NotAnswered("no address") from error
        raise NotAnswered("no connection")

    async def _look_up_addresses(self) -> None:
        """Raises: OSError, TimeoutError, where none was known before."""
        loop = asyncio.get_running_loop()
        self._addresses_until = loop.time() + ADDRESSES_SECONDS  # one call looks, the others need not wait for it
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
            self._drop_idle_connections(self._idle.keys() - self._addresses)
        except (OSError, TimeoutError):
            if not self._addresses:
                raise

    def _addresses_in_turn(self) -> list[str]:
        """All addresses of the service, each time beginning with the next."""
        self._turn += 1
        first = self._turn % len(self._addresses)
        return self._addresses[first:] + self._addresses[:first]

    def _idle_connection(self, address: str) -> HttpConnection | None:
        """The one used last: the others may be needed no more, and end."""
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE_SECONDS
        idle = self._idle.get(address, [])
        while idle:
            connection = idle.pop()
            if connection.is_reusable and connection.idle_since > oldest:
                return connection
            connection.abort()
        return None

    def _drop_idle_connections(self, addresses: Iterable[str]) -> None:
        for address in list(addresses):
            for connection in self._idle.pop(address):
                connection.abort()

    async def _connect(self, address: str) -> HttpConnection:
        _, connection = await asyncio.get_running_loop().create_connection(
            HttpConnection,
            address,
            self._port,
            ssl=self._security,
            server_hostname=self._host if self._security else None,
        )
        connection.address = address
        return connection

    def _keep(self, connection: HttpConnection) -> None:
        if connection.is_reusable and connection.address in self._addresses:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.setdefault(connection.address, []).append(connection)
        else:
            connection.abort()

    def _request(self, call: Call) -> list[Content]:
        """Raises: ValueError, where a header would begin another."""
        method = "GET" if call.body is None else "POST"
        lines = "".join([f"{name}: {value}\r\n" for name, value in call.headers.items()])
        if lines.count("\n") != len(call.headers):
            raise ValueError("a header holds a line break")
        head = f"{method} {self._prefix}{call.target}{self._host_header}{lines}"
        if call.body is None:
            return [f"{head}\r\n".encode("latin-1")]
        return [f"{head}content-length: {len(call.body)}\r\n\r\n".encode("latin-1"), call.body]


def _without_user(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


class _WholeAnswer:
    """Takes an answer of at most ``MAX_ANSWER_BYTES``."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._chunks: list[bytes] = []
        self._bytes = 0

    def take_head(self, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        self._headers = headers

    def take_body(self, chunk: bytes) -> None:
        self._bytes += len(chunk)
        if self._bytes > MAX_ANSWER_BYTES:
            self.fail(AnswerBroken("too long"))
        else:
            self._chunks.append(chunk)

    def end(self) -> None:
        if not self.answer.done():
            self.answer.set_result(Answer(self._status, self._headers, b"".join(self._chunks)))

    def fail(self, error: TransportError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _StreamedAnswer:
    """Takes an answer that goes on, no faster than it is read."""

    def __init__(self, connection: HttpConnection) -> None:
        self.head: asyncio.Future[tuple[int, Mapping[str, str]]] = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._chunks: deque[bytes] = deque()
        self._buffered_bytes = 0
        self._is_paused = False
        self._is_over = False
        self._news = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Until the answer ends, breaks off or is silent for too long."""
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._buffered_bytes -= len(chunk)
                yield chunk
            if self._is_over:
                return
            if self._is_paused:
                self._is_paused = False
                self._connection.resume_reading()
            self._news.clear()
            try:
                async with asyncio.timeout(STREAM_SILENCE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                return

    def take_head(self, status: int, headers: Mapping[str, str]) -> None:
        if not self.head.done():
            self.head.set_result((status, headers))

    def take_body(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._buffered_bytes += len(chunk)
        self._news.set()
        if self._buffered_bytes > STREAM_BUFFER_BYTES and not self._is_paused:
            self._is_paused = True
            self._connection.pause_reading()

    def end(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._connection.resume_reading()  # for the next answer on it
        self._be_over()

    def fail(self, error: TransportError) -> None:
        if not self.head.done():
            self.head.set_exception(error)
        self._be_over()

    def _be_over(self) -> None:
        self._is_over = True
        self._news.set()
