"""Connections to Redis, for the services that depend on redis-py themselves. No command has a retry of its own: the
callers know when trying again makes sense.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def redis_pool(url: str, **options: Any) -> BlockingConnectionPool:
    """It connects when first used. What the address says goes before the options.

    Raises: ValueError if this is not the address of a Redis.
    """
    # Also where the address says ?protocol=3: nobody here reads answers of that shape.
    return _Pool(**{"retry": Retry(NoBackoff(), 0), **options, **parse_url(url), "protocol": 2})


class _Pool(BlockingConnectionPool):
    """redis-py notices where a connection was closed while it was idle. One that was reset, or whose other side no
    longer answered, it would use again, and uvloop refuses that with a RuntimeError.
    """

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        if connection.is_connected and connection._reader.exception():  # type: ignore[union-attr]
            await connection.disconnect(nowait=True)
        await super().ensure_connection(connection)
