"""Connections that are lost while nobody uses them."""

from __future__ import annotations

import asyncio
import socket
import struct

import uvloop
from redis.asyncio import Redis
from servicekit.redis_pool import redis_pool


def test_after_an_idle_connection_was_reset_the_next_command_gets_a_new_one() -> None:
    clients: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        while commands := await reader.read(65_536):
            writer.write(b"+OK\r\n" * commands.count(b"SETINFO") + b"+PONG\r\n" * commands.count(b"PING"))

    async def lose_a_connection() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            pool = redis_pool(f"redis://127.0.0.1:{port}", max_connections=1, protocol=2)
            connection = await pool.get_connection()
            await pool.release(connection)
            at_once = struct.pack("ii", True, 0)
            clients[0].get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            clients[0].transport.abort()
            async with asyncio.timeout(5):
                while not connection._reader.exception():  # noqa: ASYNC110 - streams have no event for it
                    await asyncio.sleep(0.01)
            async with Redis.from_pool(pool) as redis:
                assert await redis.ping()
            assert len(clients) == 2
            clients[1].close()

    uvloop.run(lose_a_connection())
