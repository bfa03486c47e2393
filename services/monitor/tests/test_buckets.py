"""A bucket is read once, and again whenever it has changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from monitor import buckets as buckets_module
from monitor.aggregates import version_of
from monitor.buckets import READ_TOGETHER, Buckets

pytestmark = pytest.mark.anyio


class Store:
    """Hashes of counts in memory, and which of them were read."""

    def __init__(self) -> None:
        self.hashes: dict[str, dict[str, int]] = {}
        self.read: list[str] = []
        self.most_at_once = 0

    def add(self, key: str, events: int) -> None:
        bucket = self.hashes.setdefault(key, {"events": 0, "latency_us": 0, "latency:500": 0})
        for field, increment in (("events", events), ("latency_us", 9 * events), ("latency:500", events)):
            bucket[field] += increment

    async def versions(self, keys: Sequence[str]) -> list[str]:
        return [version_of(self.hashes.get(key, {})) for key in keys]

    async def counts(self, keys: Sequence[str]) -> list[dict[str, int]]:
        self.read.extend(keys)
        self.most_at_once = max(self.most_at_once, len(keys))
        return [dict(self.hashes.get(key, {})) for key in keys]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def buckets(store: Store) -> Buckets:
    return Buckets(store)  # type: ignore[arg-type]


async def events(buckets: Buckets, *keys: str) -> list[int]:
    return [bucket.events for bucket in await buckets.read(keys)]


async def test_only_changed_buckets_are_read_again(store: Store, buckets: Buckets) -> None:
    store.add("a", 1)
    store.add("b", 2)
    assert await events(buckets, "a", "b", "none") == [1, 2, 0]
    store.add("b", 3)
    store.read.clear()
    assert await events(buckets, "a", "b", "none") == [1, 5, 0]
    assert store.read == ["b"]


async def test_many_buckets_are_read_some_at_a_time(store: Store, buckets: Buckets) -> None:
    keys = [f"bucket {number}" for number in range(3 * READ_TOGETHER + 1)]
    for number, key in enumerate(keys):
        store.add(key, number)
    assert await events(buckets, *keys) == list(range(len(keys)))
    assert store.read == keys
    assert store.most_at_once == READ_TOGETHER


async def test_an_expired_bucket_is_empty(store: Store, buckets: Buckets) -> None:
    store.add("a", 1)
    assert await events(buckets, "a") == [1]
    store.hashes.clear()
    assert await events(buckets, "a") == [0]


async def test_percentiles_are_those_of_the_latest_counts(store: Store, buckets: Buckets) -> None:
    [nothing] = await buckets.read(["a"])
    assert nothing.latency_percentiles is None
    store.add("a", 1)
    [one] = await buckets.read(["a"])
    assert one.latency_percentiles is not None
    store.hashes["a"] = {"events": 1, "latency_us": 7, "latency:100": 1}
    [other] = await buckets.read(["a"])
    assert other.latency_percentiles is not None
    assert other.latency_percentiles < one.latency_percentiles


async def test_what_another_reader_lets_go_of_meanwhile_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class Crowded(Store):
        async def counts(self, keys: Sequence[str]) -> list[dict[str, int]]:
            if keys == ["changed"]:
                await buckets.read(others)
            return await super().counts(keys)

    store = Crowded()
    buckets = Buckets(store)  # type: ignore[arg-type]
    others = [f"other {number}" for number in range(50)]
    for key in ("same", "changed", *others):
        store.add(key, 1)
    assert await events(buckets, "same", "changed") == [1, 1]
    monkeypatch.setattr(buckets_module, "MAX_FIELDS", 30)
    store.add("changed", 1)
    assert await events(buckets, "same", "changed") == [1, 2]


async def test_the_cache_is_bounded(store: Store, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets_module, "MAX_FIELDS", 30)
    keys = [f"bucket {number}" for number in range(50)]
    for key in keys:
        store.add(key, 1)
    for _ in range(3):
        assert await events(buckets, *keys) == [1] * 50
    assert len(buckets._known) == 10
