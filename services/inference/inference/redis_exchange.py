"""One exchange after another with Redis: packed commands out, as many replies back.

redis-py opens the connection (address, TLS, password, database); then its stream is replaced by this protocol, because
its own reading costs a coroutine a reply, and twice the CPU of all else that publishing does.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Self, cast

import hiredis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, InvalidResponse, ResponseError


class RedisExchange(asyncio.Protocol):
    """A connection on which one exchange at a time is under way. One that is cut short is its last."""

    def __init__(self, connection: AbstractConnection, transport: asyncio.Transport) -> None:
        self._connection = connection
        self._transport = transport
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=ResponseError, notEnoughData=_NOTHING)
        self._replies: list[object] = []
        self._expected = 0
        self._done: asyncio.Future[list[object]] | None = None

    @classmethod
    async def open(cls, pool: ConnectionPool) -> Self:
        """Raises: RedisError, OSError."""
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        transport = cast(asyncio.Transport, cast(asyncio.StreamWriter, connection._writer).transport)
        exchange = cls(connection, transport)
        transport.set_protocol(exchange)
        return exchange

    @property
    def is_closed(self) -> bool:
        return self._transport.is_closing()

    async def run(self, packed: bytes, replies: int, *, timeout_seconds: float) -> list[object]:
        """Send packed commands that have so many replies, and return these; an error reply is a ResponseError.

        Raises: RedisError if the connection ends before, TimeoutError.
        """
        loop = asyncio.get_running_loop()
        self._replies, self._expected = [], replies
        self._done = loop.create_future()
        timer = loop.call_later(timeout_seconds, self._end, TimeoutError())
        self._transport.write(packed)
        try:
            return await self._done
        except BaseException:
            self._reset()
            raise
        finally:
            timer.cancel()

    async def close(self) -> None:
        await self._connection.disconnect(nowait=True)

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _NOTHING:
                self._replies.append(reply)
        except InvalidResponse as error:
            self._end(error)
            self._transport.abort()
            return
        if len(self._replies) >= self._expected and self._done is not None and not self._done.done():
            self._done.set_result(self._replies)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(ConnectionError("the connection ended"))

    def _reset(self) -> None:
        """Close, and drop what Redis has not received. It would otherwise come later, when the network is mended, and
        undo what was sent meanwhile on another connection.
        """
        if not self._transport.is_closing():
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
            self._transport.abort()

    def _end(self, error: Exception) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)


_NOTHING = object()
_NO_LINGERING = struct.pack("ii", True, 0)
