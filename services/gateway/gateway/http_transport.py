"""Calls to one service over HTTP/1.1, on a bounded number of connections that are kept.

A general client spends more on one call than the rest of the gateway does on a whole request. This one does what a
service behind us needs: no redirects, cookies, proxies or compression, and no timer of its own but while it connects.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

from gateway.http_connection import HttpConnection
from gateway.places import Places
from gateway.replica import Replica
from gateway.transport import (
    MAX_ANSWER_BYTES,
    Answer,
    AnswerBroken,
    AnswerStream,
    Content,
    NotAnswered,
    TransportError,
)

CONNECT_SECONDS = 2.0
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
        self._loop: asyncio.AbstractEventLoop
        self._places = Places(connections)
        self._replicas: list[Replica] = []
        self._addresses_until = 0.0
        self._turn = 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for replica in self._replicas:
            replica.drop_idle_connections()

    async def send(self, target: str, headers: Mapping[str, str], body: Content | None = None) -> Answer:
        request = self._request(target, headers, body)
        await self._places.take()
        try:
            replica, connection = await self._connection()
            receiver = _WholeAnswer(self._loop)
            try:
                with replica:
                    connection.call(request, receiver)
                    answer = await receiver.answer
            except BaseException:
                connection.abort()
                raise
            self._keep(replica, connection)
            return answer
        finally:
            self._places.give_back()

    @asynccontextmanager
    async def stream(self, target: str, headers: Mapping[str, str]) -> AsyncIterator[AnswerStream]:
        request = self._request(target, headers, None)
        await self._places.take()
        try:
            replica, connection = await self._connection()
            receiver = _StreamedAnswer(connection, self._loop)
            try:
                with replica:
                    connection.call(request, receiver)
                    status, answer_headers = await receiver.head
                yield AnswerStream(status, answer_headers, receiver.chunks())
            finally:
                self._keep(replica, connection)
        finally:
            self._places.give_back()

    async def _connection(self) -> tuple[Replica, HttpConnection]:
        """To the replica that is least in demand, among equals that whose turn it is; where nobody answers there, to
        the one after it. Raises: NotAnswered.
        """
        try:
            if self._loop.time() >= self._addresses_until or not self._replicas:
                await self._look_up_addresses()
            replicas = self._replicas
            if len(replicas) > 1:
                self._turn = (self._turn + 1) % len(replicas)
                replicas = sorted(replicas[self._turn :] + replicas[: self._turn], key=Replica.burden)
            for replica in replicas:
                if connection := replica.idle_connection():
                    return replica, connection
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS / len(replicas)):
                        return replica, await self._connect(replica.address)
                self._addresses_until = 0.0  # a replica may have gone: look again
        except (OSError, TimeoutError) as error:
            raise NotAnswered("no address") from error
        raise NotAnswered("no connection")

    async def _look_up_addresses(self) -> None:
        """Raises: OSError, TimeoutError, where none was known before."""
        # One call looks, the others need not wait for it.
        self._addresses_until = self._loop.time() + ADDRESSES_SECONDS
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await self._loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError):
            if not self._replicas:
                raise
            return
        gone = {replica.address: replica for replica in self._replicas}
        addresses = dict.fromkeys(str(address[0]) for *_, address in found)
        self._replicas = [
            gone.pop(address) if address in gone else Replica(address, self._loop.time) for address in addresses
        ]
        for replica in gone.values():
            replica.drop_idle_connections()

    async def _connect(self, address: str) -> HttpConnection:
        _, connection = await self._loop.create_connection(
            HttpConnection,
            address,
            self._port,
            ssl=self._security,
            server_hostname=self._host if self._security else None,
        )
        return connection

    def _keep(self, replica: Replica, connection: HttpConnection) -> None:
        if connection.is_reusable and replica in self._replicas:
            replica.keep(connection)
        else:
            connection.abort()

    def _request(self, target: str, headers: Mapping[str, str], body: Content | None) -> list[Content]:
        """Raises: ValueError, where a header would begin another."""
        method = "GET" if body is None else "POST"
        head = f"{method} {self._prefix}{target}{self._host_header}"
        for name, value in headers.items():
            line = f"{name}: {value}"
            if "\n" in line or "\r" in line:
                raise ValueError("a header holds a line break")
            head += f"{line}\r\n"
        if body is None:
            return [f"{head}\r\n".encode("latin-1")]
        return [f"{head}content-length: {len(body)}\r\n\r\n".encode("latin-1"), body]


def _without_user(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


class _WholeAnswer:
    """Takes an answer of at most ``MAX_ANSWER_BYTES``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.answer: asyncio.Future[Answer] = loop.create_future()
        self._status = 0
        self._headers: Mapping[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        self._bytes = 0

    def take_head(self, status: int, headers: Mapping[bytes, bytes]) -> None:
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

    def __init__(self, connection: HttpConnection, loop: asyncio.AbstractEventLoop) -> None:
        self.head: asyncio.Future[tuple[int, Mapping[bytes, bytes]]] = loop.create_future()
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

    def take_head(self, status: int, headers: Mapping[bytes, bytes]) -> None:
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
