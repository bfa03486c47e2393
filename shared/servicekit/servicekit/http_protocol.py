"""HTTP/1.1 as uvicorn speaks it on httptools, with bounds on connections, on the head of a request and the wait for it.

The parser itself keeps a header until it ends, however long that is, and waits for it without end. What cannot be
parsed, and what is over these bounds, is answered in plain text and closed: there is no request yet that an application
could answer.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import cast

from servicekit.abortable import AbortableHttpProtocol
from servicekit.joined_writes import JoinedWrites

MAX_HEAD_BYTES = 16 * 1024
"""Of the request line, the headers and the trailers together. Memory is bounded by this and one read more."""
HEAD_SECONDS = 10.0
"""From the connection, or from the first byte after an answer, to the end of the head."""

MAX_CONNECTIONS = 4096
"""Open at once. Each may hold some unread bytes, and a file handle."""


class HeadTooLarge(Exception):
    """The parser ends with the error that one of its callbacks raises."""


class BoundedHttpProtocol(AbortableHttpProtocol):
    _head_bytes = 0
    _unread_bytes = 0
    """Received, and not yet known to be any part of a request."""
    _is_in_head = False
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, JoinedWrites(transport, self.loop)))
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_awaiting_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._unread_bytes > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._head_deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        self._is_in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_awaiting_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Where a body comes in one piece, that is what the application gets: uvicorn would copy it twice."""
        self._unread_bytes = 0
        cycle = self.cycle
        if isinstance(cycle.body, bytes):
            cycle.body = bytearray(cycle.body)
        elif not (cycle.body or cycle.response_complete):
            cycle.body, body = body, b""  # type: ignore[assignment]
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _count_head(self, received_bytes: int) -> None:
        self._unread_bytes = 0
        self._head_bytes += received_bytes
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLarge

    def _await_head(self) -> None:
        self._head_deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_awaiting_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _give_up(self) -> None:
        if self._is_in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()  # nothing was asked: a connection in reserve, or the rest of a refused body

    def _refuse(self, status: HTTPStatus) -> None:
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            self.transport.write(
                f"{head}content-length: {len(status.phrase)}\r\nconnection: close\r\n\r\n{status.phrase}".encode()
            )
            self.transport.close()
