"""The event stream in Redis: one transaction an append, on one connection of its own.

The transaction is packed here, because redis-py's pipeline costs several times the CPU.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import cast

import hiredis
import structlog
from events.accounting import PublisherCounters
from events.names import PUBLISHERS, STREAM, STREAM_MAX_LENGTH, publisher_counters
from events.prediction import PredictionEvent
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from inference.event_stream import StreamUnavailable
from inference.redis_exchange import RedisExchange

TIMEOUT_SECONDS = 1.0
"""Longest that connecting, or one exchange, may take; a Redis that needs longer counts as away."""

LISTING_SECONDS = 1.0
"""How exact the time is at which a publisher last wrote: those long gone are looked for by the hour."""

_MULTI = b"*1\r\n$5\r\nMULTI\r\n"
_EXEC = b"*1\r\n$4\r\nEXEC\r\n"
_PING = b"*1\r\n$4\r\nPING\r\n"
_XADD = ("XADD", STREAM, "MAXLEN", "~", str(STREAM_MAX_LENGTH), "*")

_log = structlog.get_logger("events")


class RedisEventStream:
    """Implements ``EventStream``. ``instance`` names this process among the publishers."""

    def __init__(self, url: str, *, instance: str) -> None:
        self._instance = instance
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        self._exchange: RedisExchange | None = None
        self._has_written = False
        self._next_listing = 0.0
        self._forgotten: PublisherCounters | None = None
        self._keeps_counters = True

    async def append(self, events: Sequence[PredictionEvent], counters: PublisherCounters) -> int:
        try:
            results = await self._write(events, counters)
            if self._has_written and _is_new(results[len(events)]) and (self._keeps_counters or _is_new(results[-1])):
                # Redis was emptied, or has added these counters to those of publishers long gone. What they said
                # before is no longer about anything that it holds: count from this append on. Not so where Redis had
                # refused them, and lists this publisher still: it holds all that they are about.
                _log.warning("the publisher's counters were gone: counting anew")
                self._forgotten = _all_but(counters, events)
                self._next_listing = 0.0
                await self._write([], counters)
            self._has_written = True
            refusals = [result for result in results if result.__class__ is ResponseError]
            if not refusals and self._keeps_counters:
                return 0
            self._tell_whether_counters_are_kept(results[len(events) :])
            of_events = [result for result in results[: len(events)] if isinstance(result, ResponseError)]
            if of_events and _is_about_the_key(of_events[0]):
                await self._write([], _with_kept_back(counters, len(events)))
                raise StreamUnavailable(_reason(of_events[0]))
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise StreamUnavailable(_reason(error)) from error
        if of_events:
            _log.error("redis refused events", refused=len(of_events), reason=_reason(of_events[0]))
        return len(of_events)

    async def ping(self) -> None:
        """Ask on a connection of its own, so that health never stands in line behind events."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            exchange = await RedisExchange.open(self._pool)
            try:
                _raise_refusal(await exchange.run(_PING, 1, timeout_seconds=TIMEOUT_SECONDS))
            finally:
                await exchange.close()

    async def close(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    async def _write(self, events: Sequence[PredictionEvent], counters: PublisherCounters) -> list[object]:
        """Returns: one result an event, then that of the hash of counters, and of the list of publishers when due."""
        commands = [*map(pack_event, events), self._replace_counters(counters)]
        now = time.monotonic()
        is_listing = now >= self._next_listing
        if is_listing:
            commands.append(_pack("ZADD", PUBLISHERS, f"{time.time():.3f}", self._instance))
        results = await self._execute(b"".join((_MULTI, *commands, _EXEC)), len(commands))
        if is_listing and not any(isinstance(result, ResponseError) for result in results[len(events) :]):
            self._next_listing = now + LISTING_SECONDS
        return results

    def _tell_whether_counters_are_kept(self, results: Sequence[object]) -> None:
        """Say it where that changes. The events are in the stream all the same, and sending them again mends nothing:
        the counters are absolute, so the next that Redis takes make up for these."""
        refusal = next((result for result in results if isinstance(result, ResponseError)), None)
        if refusal is not None and self._keeps_counters:
            _log.error("redis refuses the publisher's counters, events go on", reason=_reason(refusal))
        elif refusal is None and not self._keeps_counters:
            _log.info("redis takes the publisher's counters again")
        self._keeps_counters = refusal is None
        if refusal is not None:
            self._next_listing = 0.0  # the next append is to find out whether this publisher is listed still

    async def _execute(self, transaction: bytes, commands: int) -> list[object]:
        """Send a packed MULTI … EXEC of so many commands; return the commands' results.

        A connection whose exchange failed, for whatever reason, is not used again: it may hold stale replies.
        """
        try:
            if self._exchange is not None and self._exchange.is_closed:
                await self.close()
            if self._exchange is None:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    self._exchange = await RedisExchange.open(self._pool)
            expected = commands + 2  # to MULTI, each command (QUEUED), and EXEC
            replies = await self._exchange.run(transaction, expected, timeout_seconds=TIMEOUT_SECONDS)
            _raise_refusal(replies)
        except BaseException:
            await self.close()
            raise
        return cast(list[object], replies[-1])

    def _replace_counters(self, counters: PublisherCounters) -> bytes:
        fields = (_less(counters, self._forgotten) if self._forgotten else counters).to_fields()
        return _pack("HSET", publisher_counters(self._instance), *chain.from_iterable(fields.items()))


def _raise_refusal(replies: Sequence[object]) -> None:
    """Raises: ResponseError, the first among the replies."""
    for reply in replies:
        if reply.__class__ is ResponseError:  # hiredis makes no other, and many are looked at
            raise reply


def _is_about_the_key(refusal: ResponseError) -> bool:
    """Not about the event: any would be refused now, and this one is taken when the key is mended."""
    return _reason(refusal) == "WRONGTYPE"


def _is_new(added: object) -> bool:
    """``added``: fields to a hash, or members to a sorted set."""
    return isinstance(added, int) and added > 0


def _with_kept_back(counters: PublisherCounters, events: int) -> PublisherCounters:
    """The same where so many events, counted as published, were not."""
    return replace(counters, published=counters.published - events, buffered=counters.buffered + events)


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


def pack_event(event: PredictionEvent) -> bytes:
    """The XADD of an event, packed from what is known beforehand: any field before its value, and any length."""
    values = event.field_values()
    pieces = list(_pieces_of_xadd(event.field_names()))
    pieces[2::4] = map(_length, map(len, values))
    pieces[3::4] = values
    return b"".join(pieces)


@lru_cache(maxsize=64)
def _pieces_of_xadd(fields: tuple[str, ...]) -> list[bytes]:
    """The command, and four pieces a field: its name, the length of its value, the value, and the end of it."""
    _, _, words = _pack(*_XADD).partition(b"\r\n")
    pieces = [b"*%d\r\n%b" % (len(_XADD) + 2 * len(fields), words)]
    for name in map(str.encode, fields):
        pieces += [b"%b%b\r\n" % (_length(len(name)), name), b"", b"", b"\r\n"]
    return pieces


@lru_cache(maxsize=1024)
def _length(length: int) -> bytes:
    return b"$%d\r\n" % length


def _pack(*words: str) -> bytes:
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type] # its stub knows only one word
    return packed


def _reason(error: Exception) -> str:
    """Redis's error code, or the kind of the failure: never the message of a library, which may name addresses."""
    if isinstance(error, ResponseError):
        return str(error).partition(" ")[0]
    return type(error).__name__
