"""Connecting to Redis."""

from __future__ import annotations

import asyncio
import gc

import pytest
import uvloop
from inference.redis_exchange import RedisExchange
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError


def test_a_name_that_is_not_found_in_time_is_no_unhandled_error() -> None:
    unhandled: list[dict[str, object]] = []
    pool = ConnectionPool.from_url("redis://redis.invalid:6379", protocol=2)

    async def give_up_while_the_name_is_looked_for() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        for tenths in (0, 2, 4, 6, 8, 10, 12, 16):
            with pytest.raises((OSError, RedisError)):
                async with asyncio.timeout(tenths / 10_000):
                    await RedisExchange.open(pool)
        await loop.getaddrinfo("localhost", 6379)  # by now those before it have ended too
        gc.collect()

    uvloop.run(give_up_while_the_name_is_looked_for())

    assert not unhandled
