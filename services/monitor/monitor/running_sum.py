"""Sums over windows that move: of a window's hundreds of buckets only those that changed are added or taken away."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence

from monitor.aggregates import Counts
from monitor.buckets import Bucket

MAX_SUMS = 32


class RunningSum:
    """The sum of the buckets it was last given."""

    def __init__(self) -> None:
        self._counts: Counts = Counter()
        self._parts: dict[str, Bucket] = {}

    def over(self, keys: Sequence[str], buckets: Sequence[Bucket]) -> Counts:
        """The sum of these buckets; it is this object's own, and good until the next call."""
        parts = dict(zip(keys, buckets, strict=True))
        gone = [bucket for key, bucket in self._parts.items() if parts.get(key) is not bucket]
        come = [bucket for key, bucket in parts.items() if self._parts.get(key) is not bucket]
        if len(gone) + len(come) > len(parts):  # all is new, or Redis was emptied: less to do from the start
            self._counts, gone, come = Counter(), [], list(buckets)
        for bucket in gone:
            self._add(bucket, -1)
        for bucket in come:
            self._add(bucket, 1)
        self._parts = parts
        return self._counts

    def _add(self, bucket: Bucket, sign: int) -> None:
        sums = self._counts
        for field, count in bucket.items():
            total = sums[field] + sign * count
            if total:
                sums[field] = total
            else:
                del sums[field]


class RunningSums:
    """The running sums of the windows that were asked for last."""

    def __init__(self) -> None:
        self._sums: OrderedDict[Hashable, RunningSum] = OrderedDict()

    def __getitem__(self, window: Hashable) -> RunningSum:
        found = self._sums.pop(window, None) or RunningSum()
        self._sums[window] = found
        if len(self._sums) > MAX_SUMS:
            self._sums.popitem(last=False)
        return found
