"""One kept-alive HTTP/1.1 connection to a service: a call at a time, its answer parsed by httptools as it arrives.

Source: RFC 9112.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

import httptools

from gateway.transport import AnswerBroken, Content, NotAnswered, TransportError

MAX_HEAD_BYTES = 64 * 1024
"""Of an answer. The parser itself keeps a header until it ends, however long that is."""
UNTAKEN_SECONDS = 5.0
"""After which a connection that was idle is lost, where nothing of what is sent on it is taken (Linux): a network may
have forgotten it. The system itself would go on sending for a quarter of an hour. On a new one, whose other side was
there a moment ago, a pause of that side may last longer.
"""


class Receiver(Protocol):
    """Who takes one answer: its head, its body in pieces, and then one of its two ends."""

    def take_head(self, status: int, headers: Mapping[bytes, bytes]) -> None: ...

    def take_body(self, chunk: bytes) -> None: ...

    def end(self) -> None: ...

    def fail(self, error: TransportError) -> None: ...


class HttpConnection(asyncio.Protocol):
    def __init__(self) -> None:
        self.idle_since = 0.0
        """A time of the event loop's clock; 0 before the first answer."""
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._receiver: Receiver | None = None
        self._head_bytes = 0
        self._is_in_head = False
        self._is_kept_alive = True
        self._status = 0
        self._headers: dict[bytes, bytes] = {}

    @property
    def is_reusable(self) -> bool:
        """It is open, and no answer is awaited on it."""
        return self._is_kept_alive and self._receiver is None and not self._transport.is_closing()

    def call(self, request: Sequence[Content], receiver: Receiver) -> None:
        """Send a request; only on a connection that is reusable."""
        self._receiver = receiver
        self._head_bytes = 0
        self._is_in_head = True
        self._transport.writelines(request)

    def rest(self, since: float) -> None:
        """Noted by whoever keeps the connection: it is idle from that time of the event loop's clock on."""
        if not self.idle_since and (option := getattr(socket, "TCP_USER_TIMEOUT", None)):
            milliseconds = round(UNTAKEN_SECONDS * 1000)
            self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, milliseconds)
        self.idle_since = since

    def abort(self) -> None:
        """Drop the connection, with whatever is on its way."""
        self._receiver = None
        self._transport.abort()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._receiver is None:
            self.abort()  # nothing was asked: this would be taken for the next answer
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(AnswerBroken("not HTTP"))
        if self._is_in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._fail(AnswerBroken("its head is too long"))

    def connection_lost(self, exc: Exception | None) -> None:
        is_begun = self._head_bytes or not self._is_in_head
        self._fail(AnswerBroken("broken off") if is_begun else NotAnswered("the connection was closed"))

    # What the parser finds.

    def on_message_begin(self) -> None:
        self._headers = {}
        if self._receiver is None:
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        if self._status >= 200 and self._receiver is not None:  # those below announce the answer
            self._is_in_head = False
            self._is_kept_alive = self._parser.should_keep_alive()
            self._receiver.take_head(self._status, self._headers)

    def on_body(self, chunk: bytes) -> None:
        if self._receiver is not None:
            self._receiver.take_body(chunk)

    def on_message_complete(self) -> None:
        if self._status >= 200 and self._receiver is not None:
            receiver, self._receiver = self._receiver, None
            receiver.end()

    def _fail(self, error: TransportError) -> None:
        receiver = self._receiver
        self.abort()
        if receiver is not None:
            receiver.fail(error)
