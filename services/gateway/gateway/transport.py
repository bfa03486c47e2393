"""Carry one call to another service: the only module that knows which HTTP client does it.

TransportError
    NotAnswered     no connection, or a kept-alive one that closed instead of answering: it may be sent again
    AnswerBroken    an answer that is missing, broken off, or longer than is held in memory
"""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Protocol, Self
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

MAX_ANSWER_BYTES = 4 * 1024 * 1024
CONNECT_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 60.0
"""Below that of the services' servers, so that the gateway is the side that closes an idle connection."""
CONNECTION_SECONDS = 2.0
"""Then a connection is closed after its answer: the next one leads to the next of the service's addresses, so that each
replica gets its share, and a new one soon, also where one connection would do for all that is asked."""
STREAM_SILENCE_SECONDS = 45.0
"""Three heartbeats of the monitor's stream: after so much silence it counts as broken."""

_NO_DEADLINE = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)  # the caller has one
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=STREAM_SILENCE_SECONDS)


class TransportError(Exception):
    pass


class NotAnswered(TransportError):
    pass


class AnswerBroken(TransportError):
    pass


@dataclass(frozen=True, slots=True)
class Call:
    """``body``: None sends a GET, bytes a POST."""

    url: URL
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class AnswerStream:
    """An answer whose body is still arriving. Its chunks end where it ends or breaks off."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]

    async def whole(self) -> Answer:
        """The answer, where it turns out not to go on. Raises: AnswerBroken."""
        return Answer(self.status, self.headers, await _bounded(self.chunks))


class Transport(Protocol):
    """The seam between the gateway and the network. Both raise: NotAnswered, AnswerBroken; neither has a deadline."""

    async def send(self, call: Call) -> Answer: ...

    def stream(self, call: Call) -> AbstractAsyncContextManager[AnswerStream]: ...


class HttpTransport:
    """HTTP/1.1 on at most ``connections`` kept-alive connections. Open while it is entered."""

    def __init__(self, *, connections: int) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEEP_ALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_DEADLINE,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            response_class=_Response,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, call: Call) -> Answer:
        try:
            async with self._request(call, _NO_DEADLINE) as response:
                return Answer(response.status, response.headers, await _bounded(response.content.iter_any()))
        except aiohttp.ClientError as error:
            raise _named(error) from error

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AnswerStream]:
        try:
            response = await self._request(call, _STREAM_TIMEOUT)
        except aiohttp.ClientError as error:
            raise _named(error) from error
        async with response:
            yield AnswerStream(response.status, response.headers, _chunks(response))

    def _request(self, call: Call, timeout: aiohttp.ClientTimeout) -> aiohttp.client._RequestContextManager:
        return self._session.request(
            "GET" if call.body is None else "POST",
            call.url,
            data=None if call.body is None else io.BytesIO(call.body),  # shares the bytes; sent in pieces
            headers=call.headers,
            timeout=timeout,
            allow_redirects=False,
        )


class _Response(aiohttp.ClientResponse):
    """Knows how old its connection is.

    So it tells a kept-alive connection that was closed while idle from a server that failed on this very call. aiohttp
    raises the same errors for both, and itself retries only methods that are idempotent by definition.
    Source: RFC 9110, section 9.2.2, and RFC 9112, section 9.3.1.
    """

    _first_used: ClassVar[WeakKeyDictionary[ResponseHandler, float]] = WeakKeyDictionary()

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        protocol = connection.protocol
        assert protocol is not None  # noqa: S101 - aiohttp starts a response on an open connection
        is_reused = protocol in self._first_used
        if time.monotonic() - self._first_used.setdefault(protocol, time.monotonic()) > CONNECTION_SECONDS:
            protocol.force_close()  # once all of the answer is here
        try:
            return await super().start(connection)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if is_reused:
                raise NotAnswered("the kept-alive connection was closed") from error
            raise


def _named(error: aiohttp.ClientError) -> TransportError:
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return NotAnswered("no connection")
    return AnswerBroken(type(error).__name__)


async def _bounded(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerBroken("too long")
    return bytes(body)


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except aiohttp.ClientError:
        return
