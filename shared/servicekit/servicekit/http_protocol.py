"""HTTP/1.1 on httptools, for uvicorn's server, with bounds on connections, on heads of requests and the wait for them.

uvicorn's own protocol spends several times as much on a request, and has none of these bounds. What cannot be parsed,
and what is over a bound, is answered with a problem and closed: there is no request yet for an application to answer.
Source: RFC 9112.
"""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from itertools import chain
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import unquote

import httptools
import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.server import ServerState

from servicekit.http_exchange import HttpExchange
from servicekit.problems import problem_response
from servicekit.request_context import begin_request, request_id

MAX_HEAD_BYTES = 16 * 1024
"""Of the request line, the headers and the trailers together. Memory is bounded by this and one read more."""
_LINE_BYTES = len(": \r\n")
"""What a line of it has beside name and value; the first one has a little more."""
HEAD_SECONDS = 10.0
"""From the connection, from an answer or from the first byte after it, whichever is last, to the end of the head."""
LAST_HEAD_SECONDS = 1.0
"""The same, once the server ends."""
TAKE_SECONDS = 30.0
"""Who takes not a byte of its answer for so long, or for twice that, is cut off. A phone in a tunnel is back by then,
and who never reads holds its connection, and what its request took, no longer."""

MAX_CONNECTIONS = 4096
"""Open at once. Each may hold some unread bytes, and a file handle."""

_REFUSALS = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: "This is no request of HTTP/1.1, or two servers could take it for different ones.",
        HTTPStatus.REQUEST_TIMEOUT: "The head of the request did not arrive in time.",
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
            f"The address and the headers of a request may have {MAX_HEAD_BYTES:,} bytes together."
        ),
        HTTPStatus.SERVICE_UNAVAILABLE: "There are too many connections right now. Try again in a moment.",
        HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: "Only HTTP/1.1 and HTTP/1.0 are spoken here.",
    }
)
_SHOWN_PATH_BYTES = 256
"""Of the address of a refused request; its length may be why it is refused."""

_VERSIONS = ("1.1", "1.0")
_OF_UPGRADES = {b"upgrade", b"http2-settings"}
"""Headers, and what a connection header says of them."""


class HeadRefused(Exception):
    """The parser ends with the error that one of its callbacks raises."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class HttpProtocol(asyncio.Protocol):
    """One connection. Requests that come before the answer to the one before wait for their turn.

    A client that ends its side has left, and gets no answer, though it might still read: one that closed the whole
    connection looks the same until something is written to it, and work for nobody would go on until then.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._app = cast(ASGIApp, config.loaded_app)
        self._app_state = app_state
        self._server_state = server_state
        self._keep_alive_seconds = config.timeout_keep_alive
        self._loop = _loop or asyncio.get_event_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._server: tuple[str, int] | None = None
        self._client: tuple[str, int] | None = None
        self._exchange: HttpExchange
        """The one that is being read, or was last."""
        self._answering: HttpExchange | None = None
        self._waiting: deque[tuple[HttpExchange, Scope]] = deque()
        self._refusal: HTTPStatus | None = None
        """What comes after their answers. Nothing more is read, but that the client leaves is noticed."""
        # Of the request that is being read.
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._hosts = 0
        self._awaits_continue = False
        self._is_in_head = False
        self._unread_bytes = 0
        """Received, and not yet known to be anything but a head."""
        self._is_all_of_head_unread = False
        """Whether those hold all of the head: not, where it begins behind another request in one segment."""
        self._head_deadline: asyncio.TimerHandle | None = None
        self._idle_check: asyncio.TimerHandle | None = None
        self._idle_since = 0.0
        self._is_ending = False
        self._is_paused = False
        self.is_full = False
        """The client takes no more for now."""
        self._may_write = asyncio.Event()
        self._taking_check: asyncio.TimerHandle | None = None
        self._untaken_bytes = 0

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server = _address(transport, "sockname")
        self._client = _address(transport, "peername")
        self._server_state.connections.add(self)  # type: ignore[arg-type] # uvicorn asks only for what is here
        if len(self._server_state.connections) > MAX_CONNECTIONS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server_state.connections.discard(self)
        for timer in (self._head_deadline, self._idle_check, self._taking_check):
            if timer is not None:
                timer.cancel()
        self._waiting.clear()
        self._may_write.set()
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.lose()

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._unread_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline_upgrade(data[offer.args[0] :])
            return
        except httptools.HttpParserError as error:
            reason = error.__context__
            self._refuse(reason.status if isinstance(reason, HeadRefused) else HTTPStatus.BAD_REQUEST)
            return
        if self._unread_bytes > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._answering is None and self._head_deadline is None:
            self._await_head()

    def pause_writing(self) -> None:
        self.is_full = True
        self._may_write.clear()
        if self._taking_check is None:
            self._watch_taking()

    def resume_writing(self) -> None:
        self.is_full = False
        self._may_write.set()
        if self._taking_check is not None and not self._transport.is_closing():
            self._taking_check.cancel()
            self._taking_check = None

    # What the parser finds.

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._hosts = 0
        self._awaits_continue = False
        self._is_in_head = True
        self._is_all_of_head_unread = self._unread_bytes > 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_head:
            self._unread_bytes += _LINE_BYTES + len(name) + len(value)  # a trailer, which nobody asks for
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self._awaits_continue = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        is_surely_short = self._is_all_of_head_unread and self._unread_bytes <= MAX_HEAD_BYTES
        if not is_surely_short and self._head_bytes() > MAX_HEAD_BYTES:
            raise HeadRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if self._parser.should_upgrade():
            return  # the parser takes nothing more for a body, and says so in a moment
        version = self._parser.get_http_version()
        if version not in _VERSIONS:
            raise HeadRefused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if self._hosts != 1 and (self._hosts or version != "1.0"):
            raise HeadRefused(HTTPStatus.BAD_REQUEST)  # two servers could take it for different ones: RFC 9112, 3.2
        self._is_in_head = False
        self._unread_bytes = 0
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
        scope = self._scope(version)
        self._exchange = exchange = HttpExchange(
            self,
            scope,
            keeps_alive=version != "1.0" and self._parser.should_keep_alive(),
            awaits_continue=version != "1.0" and self._awaits_continue,
        )
        if self._answering is None:
            self._begin(exchange, scope)
        else:
            self.pause_reading()
            self._waiting.append((exchange, scope))

    def on_body(self, piece: bytes) -> None:
        self._unread_bytes = 0
        self._exchange.take_body(piece)

    def on_message_complete(self) -> None:
        if self._is_in_head:
            return
        self._unread_bytes = 0
        self._url = b""
        self._exchange.end_body()

    # What an exchange asks for.

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._server_state.default_headers

    async def drain(self) -> None:
        """Until the client takes more, or is lost."""
        await self._may_write.wait()

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def forget(self, task: asyncio.Task[None]) -> None:
        """The application is done with a request."""
        self._server_state.tasks.discard(task)

    def end_exchange(self, *, keeps_alive: bool) -> None:
        """The answer is written: the turn of the next request, or of none for a while."""
        self._server_state.total_requests += 1
        self._answering = None
        if not keeps_alive:
            self._close()
        if self._transport.is_closing():
            return
        self.resume_reading()
        if self._waiting:
            self._begin(*self._waiting.popleft())
        elif self._refusal is not None:
            self._refuse(self._refusal)
        elif self._is_in_head:
            self._await_head()
        else:
            self._idle_since = self._loop.time()
            if self._idle_check is None:
                self._idle_check = self._loop.call_later(self._keep_alive_seconds, self._check_idle)

    # What the server asks for.

    def shutdown(self) -> None:
        """Close the connection, after the answer that is in work or to a request that is just arriving."""
        self._is_ending = True
        if self._answering is not None:
            self._answering.be_the_last()
        elif self._head_deadline is not None:  # a new connection, whose request may be here already, or half a head
            self._head_deadline.cancel()
            self._head_deadline = self._loop.call_later(LAST_HEAD_SECONDS, self._give_up)
        else:
            self._close()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Take the request as if no other protocol had been offered with it: curl offers HTTP/2 with ``--http2``."""
        method, version = self._parser.get_method(), self._parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        lines = [b"%b: %b\r\n" % header for header in _without_upgrade(self._headers)]
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self._url, version, b"".join(lines)) + rest)

    def _head_bytes(self) -> int:
        line_bytes = _LINE_BYTES * (1 + len(self._headers))
        return len(self._url) + line_bytes + sum(map(len, chain.from_iterable(self._headers)))

    def _scope(self, version: str) -> Scope:
        url = httptools.parse_url(self._url)
        raw_path = url.path or b"/"  # of http://example.org?x=1 there is none
        path = raw_path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "method": self._parser.get_method().decode(),
            "scheme": "http",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": url.query or b"",
            "root_path": "",
            "headers": self._headers,
            "server": self._server,
            "client": self._client,
            "state": self._app_state.copy(),
        }

    def _begin(self, exchange: HttpExchange, scope: Scope) -> None:
        self._answering = exchange
        if self._is_ending:
            exchange.be_the_last()
        exchange.task = task = self._loop.create_task(exchange.run(self._app, scope))
        self._server_state.tasks.add(task)

    def _await_head(self) -> None:
        self._head_deadline = self._loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self._is_in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self._close()  # nothing was asked: a connection in reserve, or the rest of a refused body

    def _close(self) -> None:
        """Once the client has taken what is written, or takes no more of it."""
        self._transport.close()
        if self._taking_check is None and self._transport.get_write_buffer_size():
            self._watch_taking()

    def _watch_taking(self) -> None:
        self._untaken_bytes = _untaken_bytes(self._transport)
        self._taking_check = self._loop.call_later(TAKE_SECONDS, self._check_taking)

    def _check_taking(self) -> None:
        """While the client is to take more: before more is written, and before the connection is closed."""
        untaken_bytes = self._untaken_bytes
        self._watch_taking()
        if self._untaken_bytes >= untaken_bytes:
            self._transport.abort()

    def _check_idle(self) -> None:
        """One timer for all the pauses of a connection, which a request then need not begin and end."""
        self._idle_check = None
        idle_seconds = self._loop.time() - self._idle_since
        is_idle = self._answering is None and self._head_deadline is None
        if is_idle and idle_seconds >= self._keep_alive_seconds:
            self._close()
        else:
            rest_seconds = self._keep_alive_seconds - idle_seconds if is_idle else self._keep_alive_seconds
            self._idle_check = self._loop.call_later(rest_seconds, self._check_idle)

    def _refuse(self, status: HTTPStatus) -> None:
        """Close the connection with this, once what was asked for before is answered.

        Whether a next answer may come is known by then: what follows a ``Connection: close`` is nothing to refuse.
        """
        if self._transport.is_closing():
            return
        if self._waiting and not self._waiting[-1][0].has_whole_body:
            self._waiting.pop()  # the one that is refused
        answering = self._answering
        if answering is None or not (answering.has_whole_body or answering.has_begun_answer):
            self._write_refusal(status)
        elif answering.has_whole_body:
            self._refusal = status
        else:
            self._close()  # in the midst of an answer, which is all that can still tell the client

    def _write_refusal(self, status: HTTPStatus) -> None:
        scope: Scope = {
            "type": "http",
            "path": unquote(self._url.partition(b"?")[0][:_SHOWN_PATH_BYTES].decode("latin-1")) or "/",
            "headers": self._headers if self._url else [],  # else they are those of the request before
        }
        begin_request(scope)
        headers = {"Connection": "close", "X-Request-ID": request_id(scope)}
        answer = problem_response(scope, status, _REFUSALS[status], headers)
        lines = b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
        self._transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, status.phrase.encode(), lines) + answer.body)
        self._close()


def _address(transport: asyncio.BaseTransport, end: str) -> tuple[str, int] | None:
    """None for a connection that is no TCP connection."""
    address = transport.get_extra_info(end)
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else None


def _without_upgrade(headers: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name == b"connection":
            options = [option.strip() for option in value.split(b",")]
            yield name, b", ".join(option for option in options if option.lower() not in _OF_UPGRADES)
        elif name not in _OF_UPGRADES:
            yield name, value


def _untaken_bytes(transport: asyncio.Transport) -> int:
    """Written, and not acknowledged by the client's machine.

    Beside the transport's buffer this is what the system holds, where it tells (Linux does): up to some megabytes, of
    which a third has to go before it takes more. A slow client may need minutes for that.
    """
    held = b""
    with suppress(OSError):
        held = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return transport.get_write_buffer_size() + int.from_bytes(held, sys.byteorder)
