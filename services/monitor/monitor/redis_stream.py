"""What the monitor asks of Redis while it serves: read the stream, apply batches, read aggregates, take feedback."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from events import names
from events.accounting import PublisherCounters
from redis.exceptions import ResponseError

from monitor.accounting import Accounts
from monitor.aggregates import VERSION_FIELDS, Counts
from monitor.batches import Batch, StreamEntry
from monitor.counted_prediction import CountedPrediction
from monitor.keys import Keys
from monitor.redis_connection import connect, integers, pairs, translated
from monitor.windows import SPANS

BLOCK_SECONDS = 1.0
DEAD_MAX_LENGTH = 10_000
LAG_COUNT_LIMIT = 2000
ABANDONED_SECONDS = 3600
FEEDBACK_MAX_LENGTH = 100_000
NO_ENTRY = "0-0"
RETIRED = "retired"
"""The publisher that stands for all that are gone."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """What keeps a batch from being applied: entries that somebody else applied, ids already counted."""

    gone: frozenset[str]
    known: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.gone or self.known)


class RedisStream:
    """One connection pool, closed by ``close``; it connects when first used."""

    def __init__(self, url: str) -> None:
        self.keys = Keys()
        self._redis = connect(url)
        self._apply, self._claim, self._leave, self._accounts, self._versions, self._feedback, self._retire = (
            self._redis.register_script(files("monitor").joinpath(f"{name}.lua").read_text())
            for name in ("apply", "claim", "leave", "accounts", "versions", "feedback", "retire")
        )

    async def close(self) -> None:
        await self._redis.aclose()

    async def ping(self) -> None:
        """Make a write that changes nothing: a replica, which answers PING, refuses it."""
        async with translated(self._redis):
            await self._redis.xack(names.STREAM, names.CONSUMER_GROUP, NO_ENTRY)

    async def check_takes_events(self) -> None:
        """Add nothing, in a way that is refused where events are: without memory or disk, and by a replica.

        Raises: RedisAway.
        """
        async with translated(self._redis):
            await self._redis.xadd(self.keys.nothing, {"": ""}, nomkstream=True)

    async def create_group(self, *, redeliver_seconds: float) -> bool:
        """Create the consumer group; return whether there were aggregates already, made through an earlier group.

        Then only the last ``redeliver_seconds`` of the stream are delivered again, for that long are counted ids known;
        without aggregates the whole stream is.
        """
        async with translated(self._redis):
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
        async with translated(self._redis):
            reply: Any = await self._redis.xreadgroup(
                names.CONSUMER_GROUP, consumer, {names.STREAM: ">"}, count=count, block=round(BLOCK_SECONDS * 1000)
            )
        return [StreamEntry(entry_id, fields) for _, entries in reply for entry_id, fields in entries]

    async def claim(self, consumer: str, count: int, *, idle_seconds: float) -> tuple[list[StreamEntry], int]:
        """Entries that nobody finished for ``idle_seconds``, now this consumer's; how many of them are lost."""
        async with translated(self._redis):
            entries, lost = await self._claim(
                keys=[names.STREAM, self.keys.pipeline],
                args=[names.CONSUMER_GROUP, consumer, round(idle_seconds * 1000), count],
            )
        return [StreamEntry(entry_id, pairs(flat)) for entry_id, flat in entries], int(lost)

    async def has_pending(self) -> bool:
        """Whether there are entries that consumers were given and have not settled."""
        async with translated(self._redis):
            summary: Any = await self._redis.xpending(names.STREAM, names.CONSUMER_GROUP)
        return bool(summary["pending"])

    async def apply(self, batch: Batch, *, remember_seconds: int) -> Conflict:
        """Apply a batch and acknowledge its entries, in one atomic step; or change nothing, and say why."""
        hashes, memories = list(batch.counts), list(batch.remember)
        content = {
            "entry_ids": batch.entry_ids,
            "counts": [batch.counts[key] for key in hashes],
            "expire_at": [batch.expire_at.get(key, 0) for key in hashes],
            "remember": [batch.remember[key] for key in memories],
            "dead": [list(asdict(letter).values()) for letter in batch.dead],
            "last_event_us": batch.last_event_us,
        }
        async with translated(self._redis):
            gone, known = await self._apply(
                keys=[names.STREAM, names.DEAD_STREAM, self.keys.pipeline, *hashes, *memories],
                args=[names.CONSUMER_GROUP, len(hashes), remember_seconds, DEAD_MAX_LENGTH, json.dumps(content)],
            )
        return Conflict(frozenset(gone), frozenset(known))

    async def leave(self, consumer: str) -> None:
        """Forget a consumer that stops, unless it leaves entries behind: these others must still be able to claim."""
        async with translated(self._redis):
            await self._leave(keys=[names.STREAM], args=[names.CONSUMER_GROUP, consumer, ABANDONED_SECONDS * 1000])

    async def counts(self, keys: Sequence[str]) -> list[dict[str, int]]:
        """The hashes at these keys, empty where there is none, in one round trip."""
        async with translated(self._redis), self._redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hgetall(key)
            return [integers(fields) for fields in await pipeline.execute()]

    async def versions(self, keys: Sequence[str]) -> list[str]:
        """A text for each of these hashes of counts that is another one whenever the hash has changed."""
        async with translated(self._redis):
            versions: list[str] = await self._versions(keys=keys, args=list(VERSION_FIELDS))
        return versions

    async def accounts(self) -> Accounts:
        async with translated(self._redis):
            lag, lag_is_exact, pending, entries_added, pipeline, publishers = await self._accounts(
                keys=[names.STREAM, self.keys.pipeline, names.PUBLISHERS],
                args=[names.CONSUMER_GROUP, names.publisher_counters(""), LAG_COUNT_LIMIT],
            )
        return Accounts(
            lag=lag,
            lag_is_exact=bool(lag_is_exact),
            pending=pending,
            entries_added=entries_added if entries_added >= 0 else None,
            pipeline=integers(pairs(pipeline)),
            publishers=[_counters(pairs(fields)) for fields in publishers],
        )

    async def retire_publishers(self, *, silent_seconds: float) -> int:
        """Add up the counters of publishers that have been silent for so long; return how many there were."""
        async with translated(self._redis):
            seconds, _ = await self._redis.time()
            retired: int = await self._retire(
                keys=[names.PUBLISHERS, names.publisher_counters(RETIRED)],
                args=[names.publisher_counters(""), RETIRED, seconds - silent_seconds],
            )
        return retired

    async def newest(self, count: int) -> list[StreamEntry]:
        """The last entries of the stream, newest first."""
        async with translated(self._redis):
            reply: Any = await self._redis.xrevrange(names.STREAM, count=count)
        return [StreamEntry(entry_id, fields) for entry_id, fields in reply]

    async def counted(self, places: Sequence[tuple[str, str]]) -> list[str | None]:
        """The text remembered at each (key, prediction id), None where there is none, in one round trip."""
        async with translated(self._redis), self._redis.pipeline(transaction=False) as pipeline:
            for key, prediction_id in places:
                pipeline.hget(key, prediction_id)
            texts: list[str | None] = await pipeline.execute()
        return texts

    async def tell(
        self, place: tuple[str, str], known: CountedPrediction, told: CountedPrediction, changes: Counts
    ) -> bool:
        """Count what a person said, in one atomic step; False, and nothing done, if another came first."""
        key, prediction_id = place
        content = {"counts": changes, "expire_at": [*(span.expires_at(known.time) for span in SPANS), 0]}
        async with translated(self._redis):
            done = await self._feedback(
                keys=[key, self.keys.feedback_log, *self.keys.counts(known)],
                args=[
                    prediction_id,
                    known.to_text(),
                    told.to_text(),
                    told.truth or "",
                    FEEDBACK_MAX_LENGTH,
                    json.dumps(content),
                ],
            )
        return bool(done)

    async def reference_adopted_at(self, model: str) -> str | None:
        """When a reference was adopted for a model, if one is."""
        async with translated(self._redis):
            adopted_at: Any = await self._redis.hget(self.keys.reference(model), "adopted_at")
        return None if adopted_at is None else str(adopted_at)

    async def reference(self, model: str) -> dict[str, str]:
        """The fields of the adopted reference of a model."""
        async with translated(self._redis):
            fields: Any = await self._redis.hgetall(self.keys.reference(model))
        return dict(fields)


def _counters(fields: Mapping[str, str]) -> PublisherCounters:
    """What a publisher says; of what cannot be read nothing, as accounts.lua has it."""
    try:
        return PublisherCounters.from_fields(fields)
    except ValueError:
        return PublisherCounters()
