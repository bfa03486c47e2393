"""The buckets of a window, each read from Redis only when it has changed there."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from monitor.aggregates import bins_of, version_of
from monitor.percentiles import percentiles
from monitor.redis_stream import RedisStream

MAX_FIELDS = 2_000_000
"""About 40 MB: all that the four windows of three busy models need."""
READ_TOGETHER = 16
"""So many buckets take a few milliseconds to understand; between them others have their turn."""


@dataclass(eq=False)
class Bucket:
    """The counts of one minute or hour of one model, and what is computed from them once."""

    version: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def latency_percentiles(self) -> tuple[float, float] | None:
        """P50 and P95 of the total time, seconds; None without predictions."""
        bins = bins_of(self.counts, "latency")
        if not bins:
            return None
        p50, p95 = percentiles(bins, (0.5, 0.95))
        return p50, p95


_EMPTY = Bucket()


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
        changed = [k for k, version in zip(keys, versions, strict=True) if version != self._version(k)]
        fresh: dict[str, Bucket] = {}
        for start in range(0, len(changed), READ_TOGETHER):
            some = changed[start : start + READ_TOGETHER]
            for key, counts in zip(some, await self._stream.counts(some), strict=True):
                fresh[key] = Bucket(version_of(counts), {sys.intern(name): count for name, count in counts.items()})
        buckets = [fresh.get(key) or self._known.get(key, _EMPTY) for key in keys]
        for key, bucket in zip(keys, buckets, strict=True):
            self._keep(key, bucket)
        return buckets

    def _version(self, key: str) -> str:
        return self._known.get(key, _EMPTY).version

    def _keep(self, key: str, bucket: Bucket) -> None:
        previous = self._known.pop(key, _EMPTY)
        self._fields -= len(previous.counts)
        if not bucket.version:
            return
        self._known[key] = bucket
        self._fields += len(bucket.counts)
        while self._fields > MAX_FIELDS:
            _, oldest = self._known.popitem(last=False)
            self._fields -= len(oldest.counts)
