"""The way to Redis: connections with a deadline on everything, and what can go wrong.

    RedisAway       no answer, or none in time, or a refusal, or none that can be read; nothing is known of what became
                    of the command
      GroupMissing  the consumer group does not exist: Redis is new, or was emptied

Every command has a deadline and no retry of its own: the callers know when trying again makes sense.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError, ResponseError
from servicekit.redis_pool import redis_pool

CONNECT_TIMEOUT_SECONDS = 2.0
ANSWER_TIMEOUT_SECONDS = 5.0
MAX_CONNECTIONS = 16


class RedisAway(Exception):
    """Redis did not do what it was asked to."""


class GroupMissing(RedisAway):
    """There is no consumer group to read for."""


def check_redis_url(url: str) -> None:
    """Raises: ValueError if this is not the address of a Redis."""
    parse_url(url)


def connect(url: str, *, answer_seconds: float | None = None) -> Redis:
    """One connection pool; it connects when first used."""
    return Redis.from_pool(
        redis_pool(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=ANSWER_TIMEOUT_SECONDS,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_timeout=answer_seconds or ANSWER_TIMEOUT_SECONDS,
            decode_responses=True,
            encoding_errors="replace",  # an entry with bytes that are no text must reach the parser, and fail there
        )
    )


@asynccontextmanager
async def translated(redis: Redis) -> AsyncIterator[None]:
    """Errors of the library as ours. After a refusal, what comes next goes over new connections.

    A server that refuses may be the wrong one: after a failover the old connections lead to what is a replica by now.
    """
    try:
        yield
    except ResponseError as error:
        if "NOGROUP" in str(error):
            raise GroupMissing(str(error)) from error
        with suppress(RedisError, OSError):
            await redis.connection_pool.disconnect(inuse_connections=False)
        raise RedisAway(str(error)) from error
    except (RedisError, OSError) as error:
        raise RedisAway(type(error).__name__) from error


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """[name, value, name, value, ...] as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def integers(fields: Mapping[str, str]) -> dict[str, int]:
    """The fields of a hash of counts.

    Raises: RedisAway if one is no whole number.
    """
    try:
        return {name: int(value) for name, value in fields.items()}
    except ValueError as error:
        raise RedisAway(f"a count is damaged: {error}") from error
