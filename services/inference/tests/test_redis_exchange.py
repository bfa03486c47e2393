"""The end of a connection to Redis."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
import uvloop
from inference.redis_exchange import RedisExchange
from redis.asyncio import ConnectionPool


def test_what_redis_has_not_received_when_an_exchange_is_given_up_never_reaches_it() -> None:
    transaction = bytes(1_000_000)

    def all_received(redis_side: socket.socket) -> int:
        received = 0
        with suppress(ConnectionResetError):
            while data := redis_side.recv(65_536):
                received += len(data)
        return received

    async def give_up_while_redis_does_not_receive(listener: socket.socket) -> int:
        host, port = listener.getsockname()
        pool = ConnectionPool.from_url(f"redis://{host}:{port}", protocol=2)
        opening = asyncio.create_task(RedisExchange.open(pool))
        redis_side, _ = await asyncio.to_thread(listener.accept)
        with redis_side:
            redis_side.sendall(b"+OK\r\n" * 2)
            exchange = await opening
            with pytest.raises(TimeoutError):
                await exchange.run(transaction, 1, timeout_seconds=0.01)
            await exchange.close()
            return await asyncio.to_thread(all_received, redis_side)

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that most of it waits on this side
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        received = uvloop.run(give_up_while_redis_does_not_receive(listener))

    assert received < len(transaction)
