"""The event stream in Redis: one transaction an append, on one connection of its own.

The transaction is packed and read on the connection itself, because redis-py's pipeline costs four times the CPU.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence

import hiredis
import structlog
from events.accounting import PublisherCounters
from events.names import PUBLISHERS, STREAM, STREAM_MAX_LENGTH, publisher_counters
from events.prediction import PredictionEvent
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from inference.event_stream import StreamUnavailable

TIMEOUT_SECONDS = 1.0
"""Longest that one append may take, connecting included; a Redis that needs longer counts as away."""

_MULTI = b"*1\r\n$5\r\nMULTI\r\n"
_EXEC = b"*1\r\n$4\r\nEXEC\r\n"
_XADD = ("XADD", STREAM, "MAXLEN", "~", str(STREAM_MAX_LENGTH), "*")

_log = structlog.get_logger("events")


class RedisEventStream:
    """Implements ``EventStream``. ``instance`` names this process among the publishers."""

    def __init__(self, url: str, *, instance: str) -> None:
        self._instance = instance
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        self._connection: AbstractConnection | None = None
        self._has_written = False
        self._forgotten = PublisherCounters()

    async def append(self, events: Sequence[PredictionEvent], counters: PublisherCounters) -> int:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                results = await self._write(events, counters)
                if self._has_written and _is_new_hash(results[len(events)]):
                    # Redis was emptied, or has added these counters to those of publishers long gone. What they said
                    # before is no longer about anything that it holds: count from this append on.
                    _log.warning("the publisher's counters were gone: counting anew")
                    self._forgotten = _all_but(counters, events)
                    await self._write([], counters)
                self._has_written = True
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise StreamUnavailable(_reason(error)) from error
        refusals = [result for result in results if isinstance(result, ResponseError)]
        if refusals:
            _log.error("redis refused a command of a transaction", refused=len(refusals), reason=_reason(refusals[0]))
        return sum(isinstance(result, ResponseError) for result in results[: len(events)])

    async def ping(self) -> None:
        """Ask on a connection of its own, so that health never stands in line behind events."""
        connection = self._new_connection()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]
                await connection.send_command("PING")
                await connection.read_response()
        finally:
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _write(self, events: Sequence[PredictionEvent], counters: PublisherCounters) -> list[object]:
        """Returns: one result an event, then those of the hash of counters and of the set of publishers."""
        transaction = b"".join([_MULTI, *map(_add_event, events), *self._replace_counters(counters), _EXEC])
        return await self._execute(transaction, len(events) + 2)

    async def _execute(self, transaction: bytes, commands: int) -> list[object]:
        """Send a packed MULTI … EXEC of so many commands; return the commands' results.

        A connection whose exchange was cut short, for whatever reason, is not used again: it may hold stale replies.
        """
        try:
            if self._connection is None:
                self._connection = self._new_connection()
            await self._connection.connect()  # type: ignore[no-untyped-call]
            await self._connection.send_packed_command(transaction, check_health=False)
            for _ in range(1 + commands):  # the replies to MULTI and to each command: OK, QUEUED, QUEUED, …
                await self._connection.read_response(timeout=math.inf)
            results: list[object] = await self._connection.read_response(timeout=math.inf)
        except BaseException:
            await self.close()
            raise
        return results

    def _new_connection(self) -> AbstractConnection:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        return connection

    def _replace_counters(self, counters: PublisherCounters) -> tuple[bytes, bytes]:
        hash_key = publisher_counters(self._instance)
        return (
            _pack("HSET", hash_key, *_flat(_less(counters, self._forgotten).to_fields().items())),
            _pack("ZADD", PUBLISHERS, f"{time.time():.3f}", self._instance),
        )


def _is_new_hash(added_fields: object) -> bool:
    return isinstance(added_fields, int) and added_fields > 0


def _all_but(counters: PublisherCounters, events: Sequence[PredictionEvent]) -> PublisherCounters:
    """What was counted before these events, the last that were published, and those that are buffered."""
    shadows = sum(event.shadow_of is not None for event in events)
    return PublisherCounters(
        answered=counters.answered - (len(events) - shadows) - counters.buffered,
        published=counters.published - len(events),
        dropped=dict(counters.dropped),
        shadow=counters.shadow - shadows,
    )


def _less(counters: PublisherCounters, forgotten: PublisherCounters) -> PublisherCounters:
    return PublisherCounters(
        answered=counters.answered - forgotten.answered,
        published=counters.published - forgotten.published,
        buffered=counters.buffered,
        dropped={reason: count - forgotten.dropped.get(reason, 0) for reason, count in counters.dropped.items()},
        shadow=counters.shadow - forgotten.shadow,
    )


def _add_event(event: PredictionEvent) -> bytes:
    return _pack(*_XADD, *_flat(event.to_fields().items()))


def _pack(*words: str) -> bytes:
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type] # its stub knows only one word
    return packed


def _flat(pairs: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (text for pair in pairs for text in pair)


def _reason(error: Exception) -> str:
    """Redis's error code, or the kind of the failure: never the message of a library, which may name addresses."""
    if isinstance(error, ResponseError):
        return str(error).partition(" ")[0]
    return type(error).__name__
