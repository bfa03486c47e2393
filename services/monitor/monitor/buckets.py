"""The buckets of a window, each read from Redis only when it has changed there."""

from __future__ import annotations

import sys
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from monitor.aggregates import bins_of, version_of
from monitor.percentiles import percentiles
from monitor.redis_stream import RedisStream

MAX_FIELDS = 2_000_000
"""Some 32 MB: all that the four windows of three busy models need."""
READ_TOGETHER = 16
"""So many buckets take a few milliseconds to understand; between them others have their turn."""


class Bucket:
    """The counts of one minute or hour of one model, and what is computed from them once.

    Thousands are kept, so the counts are packed: 16 bytes each, where a dict takes 20 to 60.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.version = version_of(counts)
        self.events = counts.get("events", 0)
        self.cats = counts.get("label:cat", 0)
        self._fields = tuple(map(sys.intern, counts))
        self._counts = array("q", counts.values())

    def __len__(self) -> int:
        return len(self._fields)

    def items(self) -> Iterator[tuple[str, int]]:
        return zip(self._fields, self._counts, strict=True)

    @cached_property
    def latency_percentiles(self) -> tuple[float, float] | None:
        """P50 and P95 of the total time, seconds; None without predictions."""
        bins = bins_of(dict(self.items()), "latency")
        if not bins:
            return None
        p50, p95 = percentiles(bins, (0.5, 0.95))
        return p50, p95


_EMPTY = Bucket({})


class Buckets:
    """A cache that is never stale: what it holds is compared with Redis at each use, in one round trip."""

    def __init__(self, stream: RedisStream) -> None:
        self._stream = stream
        self._known: OrderedDict[str, Bucket] = OrderedDict()
        self._fields = 0

    async def read(self, keys: Sequence[str]) -> list[Bucket]:
        """The buckets at these keys, empty where there is none.

        Raises: RedisAway.
        """
        versions = await self._stream.versions(keys)
        found = {key: self._known.get(key, _EMPTY) for key in keys}  # now: others may let go of them while this reads
        changed = [key for key, version in zip(keys, versions, strict=True) if version != found[key].version]
        for start in range(0, len(changed), READ_TOGETHER):
            some = changed[start : start + READ_TOGETHER]
            for key, counts in zip(some, await self._stream.counts(some), strict=True):
                found[key] = Bucket(counts)
        for key, bucket in found.items():
            self._keep(key, bucket)
        return [found[key] for key in keys]

    def _keep(self, key: str, bucket: Bucket) -> None:
        previous = self._known.pop(key, _EMPTY)
        self._fields -= len(previous)
        if not bucket.version:
            return
        self._known[key] = bucket
        self._fields += len(bucket)
        while self._fields > MAX_FIELDS:
            _, oldest = self._known.popitem(last=False)
            self._fields -= len(oldest)
