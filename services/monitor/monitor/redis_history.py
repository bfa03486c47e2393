"""What offline work asks of Redis: the stream, all aggregates at one moment, and putting others in their place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from events import names
from redis.exceptions import WatchError

from monitor.batches import StreamEntry
from monitor.keys import Keys
from monitor.redis_connection import connect, integers, translated

CHUNK = 2000
"""Entries or values a command; even."""
PIPELINED = 100
MAX_PENDING = 1_000_000
ANSWER_SECONDS = 60.0
BESIDE_SECONDS = 3600
REFERENCE_LOG_LENGTH = 100
NOTHING = "0-0"
"""The entry id before all others."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far the stream has been counted: up to ``delivered``, but for the entries that are ``pending``."""

    delivered: str
    pending: frozenset[str]
    feedback: str


class RedisHistory:
    """One connection pool, closed by ``close``; every command has a deadline of a minute."""

    def __init__(self, url: str) -> None:
        self.keys = Keys()
        self._redis = connect(url, answer_seconds=ANSWER_SECONDS)

    async def close(self) -> None:
        await self._redis.aclose()

    async def entries(
        self, stream: str = names.STREAM, *, after: str = "-", to: str = "+"
    ) -> AsyncIterator[list[StreamEntry]]:
        """The entries of a stream from just after an id, in order, in pieces."""
        while True:
            async with translated(self._redis):
                reply: Any = await self._redis.xrange(
                    stream, min=after if after == "-" else f"({after}", max=to, count=CHUNK
                )
            if not reply:
                return
            yield [StreamEntry(entry_id, fields) for entry_id, fields in reply]
            after = reply[-1][0]

    async def these(self, entry_ids: Sequence[str]) -> list[StreamEntry]:
        """Those of these entries that the stream still holds."""
        found: list[StreamEntry] = []
        async with translated(self._redis):
            for start in range(0, len(entry_ids), CHUNK):
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for entry_id in entry_ids[start : start + CHUNK]:
                        pipeline.xrange(names.STREAM, entry_id, entry_id)
                    for reply in await pipeline.execute():
                        found += [StreamEntry(found_id, fields) for found_id, fields in reply]
        return found

    async def count_keys(self) -> set[str]:
        """The keys of all hashes of counts."""
        keys = {self.keys.models, self.keys.pipeline}
        async with translated(self._redis):
            for kind in self.keys.kinds_of_counts:
                async for key in self._redis.scan_iter(f"{kind}:*", count=1000):
                    keys.add(key)
        return keys

    async def counts_at_one_moment(self, keys: Sequence[str]) -> tuple[Position | None, dict[str, dict[str, int]]]:
        """How far the stream was counted, and these hashes at that very moment; no position without a group."""
        async with translated(self._redis), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xinfo_groups(names.STREAM)
            pipeline.xpending_range(names.STREAM, names.CONSUMER_GROUP, "-", "+", MAX_PENDING)
            pipeline.xrevrange(self.keys.feedback_log, count=1)
            for key in keys:
                pipeline.hgetall(key)
            groups, pending, feedback, *hashes = await pipeline.execute(raise_on_error=False)
        counts = {key: integers(fields) for key, fields in zip(keys, hashes, strict=True) if fields}
        return _position(groups, pending, feedback), counts

    async def write_beside(self, hashes: Mapping[str, Mapping[str, int] | Mapping[str, str]], beside: Keys) -> None:
        """Write fields of hashes under their keys, but in another namespace; what nobody takes is gone in an hour."""
        async with translated(self._redis), self._redis.pipeline(transaction=False) as pipeline:
            for key, fields in hashes.items():
                items: list[str | int] = [text for pair in fields.items() for text in pair]
                for start in range(0, len(items), CHUNK):
                    pipeline.hset(_beside(key, beside), items=items[start : start + CHUNK])
                    if len(pipeline) > PIPELINED:
                        await pipeline.execute()
                pipeline.expire(_beside(key, beside), BESIDE_SECONDS)
            await pipeline.execute()

    async def forget_beside(self, beside: Keys) -> None:
        """Delete what an earlier attempt has left in another namespace."""
        async with translated(self._redis):
            async for key in self._redis.scan_iter(f"{beside.namespace}:*", count=1000):
                await self._redis.delete(key)

    async def take_from_beside(
        self,
        expire_at: Mapping[str, int | None],
        obsolete: Sequence[str],
        *,
        beside: Keys,
        counted: Mapping[str, int],
        feedback: str,
    ) -> bool:
        """Put the hashes of another namespace in the place of the live ones, all at one moment.

        Returns: False, and nothing done, if the pipeline's counters or the last feedback are others than expected.
        """
        async with translated(self._redis), self._redis.pipeline(transaction=True) as pipeline:
            await pipeline.watch(self.keys.pipeline, self.keys.feedback_log)
            newest = await pipeline.xrevrange(self.keys.feedback_log, count=1)
            fields: Any = await pipeline.hgetall(self.keys.pipeline)
            is_same = integers(fields) == counted
            if not is_same or (newest[0][0] if newest else NOTHING) != feedback:
                return False
            pipeline.multi()  # type: ignore[no-untyped-call]
            for key in obsolete:
                pipeline.delete(key)
            for key, until in expire_at.items():
                pipeline.rename(_beside(key, beside), key)
                if until is None:
                    pipeline.persist(key)
                else:
                    pipeline.expireat(key, until)
            try:
                await pipeline.execute()
            except WatchError:
                return False
        return True

    async def adopt_reference(self, model: str, fields: Mapping[str, str], logged: str) -> None:
        """Make these the fields of a model's reference, and log it, at one moment."""
        async with translated(self._redis), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(self.keys.reference(model))
            pipeline.hset(self.keys.reference(model), items=[text for pair in fields.items() for text in pair])
            self._log_reference(pipeline, model, logged)
            await pipeline.execute()

    async def revoke_reference(self, model: str, logged: str) -> bool:
        """Forget a model's adopted reference, and log it; False if there was none."""
        async with translated(self._redis):
            if not await self._redis.exists(self.keys.reference(model)):
                return False
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.delete(self.keys.reference(model))
                self._log_reference(pipeline, model, logged)
                await pipeline.execute()
        return True

    async def reference(self, model: str) -> tuple[dict[str, str], list[str]]:
        """The fields of a model's adopted reference, and the log of its references."""
        async with translated(self._redis):
            fields: Any = await self._redis.hgetall(self.keys.reference(model))
            log: Any = await self._redis.lrange(self.keys.reference_log(model), 0, -1)
        return fields, log

    def _log_reference(self, pipeline: Any, model: str, logged: str) -> None:
        pipeline.rpush(self.keys.reference_log(model), logged)
        pipeline.ltrim(self.keys.reference_log(model), -REFERENCE_LOG_LENGTH, -1)


def _position(groups: Any, pending: Any, feedback: Any) -> Position | None:
    for answer in (groups, pending):
        if isinstance(answer, Exception):
            return None
    [group] = [group for group in groups if group["name"] == names.CONSUMER_GROUP]
    return Position(
        group["last-delivered-id"],
        frozenset(entry["message_id"] for entry in pending),
        feedback[0][0] if feedback else NOTHING,
    )


def _beside(key: str, beside: Keys) -> str:
    return f"{beside.namespace}:{key}"
