"""One request and its answer on a connection of the server: what the application's ``receive`` and ``send`` do.

Beside what ASGI has messages for, it tells at once that the client is lost, and breaks off where the client takes
nothing; both are for an application that finds it in the scope.
Source: the ASGI specification, HTTP connection scope, 2.3.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from starlette.types import ASGIApp, Message, Scope

if TYPE_CHECKING:
    from servicekit.http_protocol import HttpProtocol

HIGH_WATER_BYTES = 256 * 1024
"""Of a body that its endpoint has yet to take; what follows waits at the client."""

LARGE_BYTES = 64 * 1024
"""Copying so much costs more than a write of its own."""

_EXTENSION = "catnet.exchange"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status} {status.phrase}\r\n".encode() for status in HTTPStatus}
_FAILED = b"The service failed on this request."

_log = structlog.get_logger("http")


class HttpExchange:
    """Everything happens on the event loop: what the connection tells, and what the application asks for."""

    __slots__ = (
        "_awaits_continue",
        "_connection",
        "_has_news",
        "_head",
        "_is_head_asked_for",
        "_is_of_unknown_length",
        "_keeps_alive",
        "_loss_watchers",
        "_news",
        "_pieces",
        "_takes_chunks",
        "_unsent_bytes",
        "_untaken_bytes",
        "has_answered",
        "has_begun_answer",
        "has_whole_body",
        "is_lost",
        "task",
    )

    def __init__(self, connection: HttpProtocol, scope: Scope, *, keeps_alive: bool, awaits_continue: bool) -> None:
        self.task: asyncio.Task[None] | None = None
        """Runs the application, from the moment that it is this request's turn."""
        self.is_lost = False
        self.has_begun_answer = False
        self.has_answered = False
        self._connection = connection
        self._is_head_asked_for = scope["method"] == "HEAD"
        self._keeps_alive = keeps_alive
        self._awaits_continue = awaits_continue
        self._takes_chunks = scope["http_version"] != "1.0"
        self._pieces: list[bytes] = []
        self._untaken_bytes = 0
        self.has_whole_body = False
        """All of it has come, and waits here for the application or has been taken."""
        self._has_news = False
        self._news: asyncio.Event | None = None
        self._head = b""
        """Of the answer, where it waits for the first bytes of the body: together they are one write."""
        self._is_of_unknown_length = False
        self._unsent_bytes = 0
        self._loss_watchers: list[Callable[[], None]] = []
        scope["extensions"] = {_EXTENSION: self}

    # What the connection tells.

    def take_body(self, piece: bytes) -> None:
        if self.has_answered:
            return
        self._pieces.append(piece)
        self._untaken_bytes += len(piece)
        if self._untaken_bytes > HIGH_WATER_BYTES:
            self._connection.pause_reading()
        self._has_news = True
        if self._news is not None:
            self._news.set()

    def end_body(self) -> None:
        self.has_whole_body = True
        self._has_news = True
        if self._news is not None:
            self._news.set()

    def lose(self) -> None:
        """The connection is gone."""
        self.is_lost = True
        if self._news is not None:
            self._news.set()
        watchers, self._loss_watchers = self._loss_watchers, []
        for watcher in watchers:
            watcher()

    def be_the_last(self) -> None:
        """Close the connection after this answer."""
        self._keeps_alive = False

    # What the application asks for.

    def watch_loss(self, watcher: Callable[[], None]) -> None:
        """Have ``watcher`` called once the client is lost, and soon if it is."""
        if self.is_lost:
            asyncio.get_running_loop().call_soon(watcher)
        else:
            self._loss_watchers.append(watcher)

    def stop_watching(self, watcher: Callable[[], None]) -> None:
        if watcher in self._loss_watchers:
            self._loss_watchers.remove(watcher)

    def abort(self) -> None:
        """Break off the connection: what the client has not taken is dropped."""
        self.is_lost = True
        self._connection.abort()

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._connection.abort()  # the server ends, and has waited long enough
            raise
        except Exception:
            _log.exception("the application failed")
        finally:
            if self.task is not None:
                self._connection.forget(self.task)
        if not (self.has_answered or self.is_lost):
            self._fail()

    def _fail(self) -> None:
        if self.has_begun_answer:
            self._connection.abort()  # only a broken connection can still tell the client
            return
        self._keeps_alive = False
        length = b"%d" % len(_FAILED)
        self._begin_answer(500, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length)])
        self._send_body(_FAILED, more_body=False)

    async def receive(self) -> Message:
        if self._awaits_continue and not self.has_begun_answer:
            self._awaits_continue = False
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not (self._has_news or self.is_lost or self.has_answered):
            self._connection.resume_reading()
            if self._news is None:
                self._news = asyncio.Event()
            self._news.clear()
            await self._news.wait()
        self._has_news = False
        if self.is_lost or self.has_answered:
            return {"type": "http.disconnect"}
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._untaken_bytes = 0
        return {"type": "http.request", "body": body, "more_body": not self.has_whole_body}

    async def send(self, message: Message) -> None:
        """Raises: RuntimeError, where the messages are not those of one answer."""
        if self._connection.is_full and not self.is_lost:
            await self._connection.drain()
        if self.is_lost:
            return
        kind = message["type"]
        if kind == "http.response.body" and self.has_begun_answer and not self.has_answered:
            self._send_body(message.get("body", b""), more_body=message.get("more_body", False))
        elif kind == "http.response.start" and not self.has_begun_answer:
            self._begin_answer(message["status"], message["headers"])
        else:
            raise RuntimeError(f"{kind} is not what comes next in an answer")

    def _begin_answer(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Names of headers are in lower case, as ASGI has them."""
        if self._awaits_continue and not self.has_whole_body:
            self._keeps_alive = False  # a client that was never asked for its body may send the next request instead
        headers = [*self._connection.default_headers, *headers]
        length = None
        is_closing = False
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"connection" and value.lower() == b"close":
                is_closing = True
        has_body = not self._is_head_asked_for and status not in (204, 304)
        if length is None and has_body:
            self._is_of_unknown_length = True
            if self._takes_chunks:
                headers.append((b"transfer-encoding", b"chunked"))
        if is_closing:
            self._keeps_alive = False
        elif not self._keeps_alive:
            headers.append((b"connection", b"close"))
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers):
            raise RuntimeError("a header holds a line break")
        self.has_begun_answer = True
        self._unsent_bytes = length or 0 if has_body else 0
        self._head = b"%b%b\r\n" % (_STATUS_LINES[status], lines)
        if self._is_of_unknown_length:  # its body may be long in coming
            self._write(b"")

    def _send_body(self, body: bytes, *, more_body: bool) -> None:
        if self._is_of_unknown_length:
            if self._takes_chunks:
                body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
                self._write(body if more_body else body + b"0\r\n\r\n")
            else:
                self._write(body)  # until the connection is closed
        elif self._is_head_asked_for:
            self._write(b"")
        else:
            self._unsent_bytes -= len(body)
            if self._unsent_bytes < 0 or (self._unsent_bytes and not more_body):
                raise RuntimeError("the body is not as long as its head says")
            self._write(body)
        if not more_body:
            self.has_answered = True
            if self._news is not None:
                self._news.set()
            self._connection.end_exchange(keeps_alive=self._keeps_alive)

    def _write(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head and len(data) > LARGE_BYTES:
            self._connection.write(head)
        else:
            data = head + data
        if data:
            self._connection.write(data)


def exchange_of(scope: Scope) -> HttpExchange | None:
    """The exchange that a request is part of; None where another server runs the application."""
    exchange: HttpExchange | None = scope.get("extensions", {}).get(_EXTENSION)
    return exchange


def has_whole_body(scope: Scope) -> bool:
    """Whether nothing of the body has to be waited for; False also where that is not known."""
    exchange = exchange_of(scope)
    return exchange is not None and exchange.has_whole_body


def abort(scope: Scope) -> None:
    """Break off the connection of a request, where the server can: what was not taken is dropped."""
    if exchange := exchange_of(scope):
        exchange.abort()
