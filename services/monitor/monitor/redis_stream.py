"""The only module that talks to Redis: reads the stream, applies batches, reads aggregates.

    RedisAway       no answer, or none in time, or a refusal; nothing is known of what became of the command
      GroupMissing  the consumer group does not exist: Redis is new, or was emptied

Every command has a deadline and no retry of its own: the callers know when trying again makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from events import names
from events.accounting import PublisherCounters
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from monitor.accounting import Accounts
from monitor.batches import Batch, StreamEntry
from monitor.keys import Keys

CONNECT_TIMEOUT_SECONDS = 2.0
ANSWER_TIMEOUT_SECONDS = 5.0
BLOCK_SECONDS = 1.0
MAX_CONNECTIONS = 16
DEAD_MAX_LENGTH = 10_000
LAG_COUNT_LIMIT = 2000
ABANDONED_SECONDS = 3600


class RedisAway(Exception):
    """Redis did not do what it was asked to."""


class GroupMissing(RedisAway):
    """There is no consumer group to read for."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """What keeps a batch from being applied: entries that somebody else applied, ids already counted."""

    gone: frozenset[str]
    known: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.gone or self.known)


def check_redis_url(url: str) -> None:
    """Raises: ValueError if this is not the address of a Redis."""
    parse_url(url)


class RedisStream:
    """One connection pool, closed by ``close``; it connects when first used."""

    def __init__(self, url: str, keys: Keys | None = None) -> None:
        self.keys = keys or Keys()
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=MAX_CONNECTIONS,
                timeout=ANSWER_TIMEOUT_SECONDS,
                socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
                socket_timeout=ANSWER_TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                decode_responses=True,
                encoding_errors="replace",  # an entry with bytes that are no text must reach the parser, and fail there
            )
        )
        self._apply, self._claim, self._leave, self._accounts, self._versions = (
            self._redis.register_script(files("monitor").joinpath(f"{name}.lua").read_text())
            for name in ("apply", "claim", "leave", "accounts", "versions")
        )

    async def close(self) -> None:
        await self._redis.aclose()

    async def ping(self) -> None:
        with _translated():
            await self._redis.ping()

    async def create_group(self, *, redeliver_seconds: float) -> bool:
        """Create the consumer group; return whether there were aggregates already, made through an earlier group.

        Then only the last ``redeliver_seconds`` of the stream are delivered again, for that long are counted ids known;
        without aggregates the whole stream is.
        """
        with _translated():
            seconds, _ = await self._redis.time()
            has_aggregates = bool(await self._redis.exists(self.keys.pipeline))
            start = f"{int(seconds - redeliver_seconds) * 1000}-0" if has_aggregates else "0"
            try:
                await self._redis.xgroup_create(names.STREAM, names.CONSUMER_GROUP, start, mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
            return has_aggregates

    async def read(self, consumer: str, count: int) -> list[StreamEntry]:
        """New entries for this consumer, now pending; waits BLOCK_SECONDS for the first."""
        with _translated():
            reply: Any = await self._redis.xreadgroup(
                names.CONSUMER_GROUP, consumer, {names.STREAM: ">"}, count=count, block=round(BLOCK_SECONDS * 1000)
            )
        return [StreamEntry(entry_id, fields) for _, entries in reply for entry_id, fields in entries]

    async def claim(self, consumer: str, count: int, *, idle_seconds: float) -> tuple[list[StreamEntry], int]:
        """Entries that nobody finished for ``idle_seconds``, now this consumer's; how many of them are lost."""
        with _translated():
            entries, lost = await self._claim(
                keys=[names.STREAM, self.keys.pipeline],
                args=[names.CONSUMER_GROUP, consumer, round(idle_seconds * 1000), count],
            )
        return [
            StreamEntry(entry_id, dict(zip(flat[::2], flat[1::2], strict=True))) for entry_id, flat in entries
        ], int(lost)

    async def apply(self, batch: Batch, *, remember_seconds: int) -> Conflict:
        """Apply a batch and acknowledge its entries, in one atomic step; or change nothing, and say why."""
        hashes, sets = list(batch.counts), list(batch.remember)
        content = {
            "entry_ids": batch.entry_ids,
            "counts": [batch.counts[key] for key in hashes],
            "expire_at": [batch.expire_at.get(key, 0) for key in hashes],
            "remember": [batch.remember[key] for key in sets],
            "dead": [list(asdict(letter).values()) for letter in batch.dead],
            "last_event_us": batch.last_event_us,
        }
        with _translated():
            gone, known = await self._apply(
                keys=[names.STREAM, names.DEAD_STREAM, self.keys.pipeline, *hashes, *sets],
                args=[names.CONSUMER_GROUP, len(hashes), remember_seconds, DEAD_MAX_LENGTH, json.dumps(content)],
            )
        return Conflict(frozenset(gone), frozenset(known))

    async def leave(self, consumer: str) -> None:
        """Forget a consumer that stops, unless it leaves entries behind: these others must still be able to claim."""
        with _translated():
            await self._leave(keys=[names.STREAM], args=[names.CONSUMER_GROUP, consumer, ABANDONED_SECONDS * 1000])

    async def counts(self, keys: Sequence[str]) -> list[dict[str, int]]:
        """The hashes at these keys, empty where there is none, in one round trip."""
        with _translated():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.hgetall(key)
                return [_integers(fields) for fields in await pipeline.execute()]

    async def versions(self, keys: Sequence[str]) -> list[str]:
        """A text for each of these hashes of counts that is another one whenever the hash has changed."""
        with _translated():
            versions: list[str] = await self._versions(keys=keys)
        return versions

    async def accounts(self) -> Accounts:
        with _translated():
            lag, lag_is_exact, pending, entries_added, pipeline, publishers = await self._accounts(
                keys=[names.STREAM, self.keys.pipeline, names.PUBLISHERS],
                args=[names.CONSUMER_GROUP, names.publisher_counters(""), LAG_COUNT_LIMIT],
            )
        return Accounts(
            lag=lag,
            lag_is_exact=bool(lag_is_exact),
            pending=pending,
            entries_added=entries_added if entries_added >= 0 else None,
            pipeline=_integers(_pairs(pipeline)),
            publishers=[PublisherCounters.from_fields(_pairs(fields)) for fields in publishers],
        )

    async def newest(self, count: int) -> list[StreamEntry]:
        """The last entries of the stream, newest first."""
        with _translated():
            reply: Any = await self._redis.xrevrange(names.STREAM, count=count)
        return [StreamEntry(entry_id, fields) for entry_id, fields in reply]


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _integers(fields: Mapping[str, str]) -> dict[str, int]:
    return {name: int(value) for name, value in fields.items()}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        missing = "NOGROUP" in str(error)
        raise (GroupMissing if missing else RedisAway)(str(error)) from error
    except (RedisError, OSError) as error:
        raise RedisAway(type(error).__name__) from error
