"""A Redis that refuses a command half-way through a batch makes no event count twice, and no loss invisible."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import redis
from events.accounting import PublisherCounters
from events.names import CONSUMER_GROUP, DEAD_STREAM, PUBLISHERS, STREAM, publisher_counters
from monitor.batches import Batch, StreamEntry, plan
from monitor.feedback import Feedback, FeedbackDesk
from monitor.manifests import Manifests
from monitor.redis_connection import RedisAway
from monitor.redis_history import RedisHistory
from monitor.redis_stream import RedisStream
from monitor.replay import Difference, compare
from redis_server import RedisServer

from tests.integration.monitoring import (
    REMEMBER_SECONDS,
    consuming,
    events,
    pipeline_counts,
    publish,
    settled,
    totals,
    until,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    return Manifests(tmp_path)


@pytest.fixture
async def stream(redis_server: RedisServer) -> AsyncIterator[RedisStream]:
    stream = RedisStream(redis_server.url)
    await stream.create_group(redeliver_seconds=REMEMBER_SECONDS)
    yield stream
    await stream.close()


@pytest.fixture
async def batch(stream: RedisStream, client: redis.Redis, manifests: Manifests) -> Batch:
    """20 events and a dead letter, after as many were counted; a publisher says that it published the events."""
    end = datetime.now(UTC)
    for seed in (1, 2):
        publish(client, events(20, seed=seed, end=end))
        client.xadd(STREAM, {"hello": "world"})
        batch = plan(await stream.read("one", 100), manifests, stream.keys)
        if seed == 1:
            assert not await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    client.hset(publisher_counters("one"), mapping=PublisherCounters(answered=42, published=42).to_fields())
    client.zadd(PUBLISHERS, {"one": 1})
    return batch


async def is_refused(stream: RedisStream, batch: Batch) -> None:
    for _ in range(2):
        with pytest.raises(RedisAway):
            await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)


async def differences(redis_server: RedisServer, manifests: Manifests) -> list[Difference]:
    history = RedisHistory(redis_server.url)
    comparison = await compare(history, manifests)
    await history.close()
    assert comparison.is_whole
    return list(comparison.differences)


async def all_is_counted_once(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, manifests: Manifests
) -> None:
    assert pipeline_counts(client) == {"consumed": 40, "dead": 2}
    assert totals(client)["events"] == 40
    assert client.xlen(DEAD_STREAM) == 2
    assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 0
    assert await differences(redis_server, manifests) == []
    assert (await stream.accounts()).balanced is True


@pytest.mark.parametrize(
    "command", ["xpending", "hmget", "hget", "hincrby", "hset", "expireat", "expire", "xadd", "xack"]
)
async def test_a_batch_waits_for_the_right_to_a_command(
    redis_server: RedisServer,
    stream: RedisStream,
    client: redis.Redis,
    manifests: Manifests,
    batch: Batch,
    command: str,
) -> None:
    client.execute_command("ACL", "SETUSER", "default", f"-{command}")
    await is_refused(stream, batch)
    client.execute_command("ACL", "SETUSER", "default", f"+{command}")
    assert (totals(client)["events"], pipeline_counts(client)) == (20, {"consumed": 20, "dead": 1})
    assert not await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    await all_is_counted_once(redis_server, stream, client, manifests)


@pytest.mark.parametrize(
    "kind",
    ["pipeline", "models", "total:", "minute:", "hour:", "counted:", DEAD_STREAM],
    ids=lambda kind: kind.strip(":"),
)
async def test_a_batch_waits_while_a_key_is_of_the_wrong_type(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, manifests: Manifests, batch: Batch, kind: str
) -> None:
    keys = [key for key in (*batch.counts, *batch.remember, DEAD_STREAM) if client.exists(key)]
    key = next(key for key in keys if key.removeprefix("catnet:").startswith(kind))
    client.rename(key, "kept")
    client.set(key, "no hash, no stream")
    await is_refused(stream, batch)
    client.rename("kept", key)
    assert (totals(client)["events"], pipeline_counts(client)) == (20, {"consumed": 20, "dead": 1})
    assert not await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    await all_is_counted_once(redis_server, stream, client, manifests)


@pytest.mark.parametrize("kind", ["minute:", "hour:", "total:"], ids=lambda kind: kind.strip(":"))
async def test_what_fails_between_two_counts_is_missing_and_never_double(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, manifests: Manifests, batch: Batch, kind: str
) -> None:
    key = next(key for key in batch.counts if key.startswith(f"catnet:{kind}") and client.exists(key))
    right = client.hget(key, "latency_us")
    client.hset(key, "latency_us", 2**63 - 1)
    with pytest.raises(RedisAway, match="overflow"):
        await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    client.hset(key, "latency_us", right)
    conflict = await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    assert len(conflict.known) == 21
    entries = [StreamEntry(entry_id, fields) for entry_id, fields in client.xrange(STREAM, batch.entry_ids[0])]
    again = plan(entries, manifests, stream.keys, conflict.known)
    assert not await stream.apply(again, remember_seconds=REMEMBER_SECONDS)
    assert pipeline_counts(client) == {"consumed": 20, "dead": 1, "duplicates": 21}
    assert client.xlen(DEAD_STREAM) == 2
    assert all(one.live < one.replayed for one in await differences(redis_server, manifests))
    accounts = await stream.accounts()
    assert (accounts.missing, accounts.balanced) == (21, False)


@pytest.mark.parametrize("cause", ["hincrby", "expireat", "hset", "xadd", "a log of the wrong type"])
async def test_feedback_that_is_refused_half_way_counts_once_when_it_is_said_again(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, manifests: Manifests, batch: Batch, cause: str
) -> None:
    await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    desk = FeedbackDesk(stream, manifests, remembered_hours=24)
    said = Feedback(UUID(events(1, seed=2)[0].prediction_id), "cat")
    if cause.isalpha():
        client.execute_command("ACL", "SETUSER", "default", f"-{cause}")
    else:
        client.set(stream.keys.feedback_log, "no stream")
    for _ in range(2):
        with pytest.raises(RedisAway):
            await desk.take(said)
    client.execute_command("ACL", "SETUSER", "default", "+@all")
    if not cause.isalpha():
        client.delete(stream.keys.feedback_log)
    for _ in range(2):
        await desk.take(said)
    assert sum(count for field, count in totals(client).items() if field.startswith("feedback:")) == 1
    assert await differences(redis_server, manifests) == []


@pytest.mark.parametrize("command", ["zrangebyscore", "hgetall", "hincrby", "del", "zrem", "zadd"])
async def test_publishers_that_are_gone_wait_for_the_right_to_a_command(
    stream: RedisStream, client: redis.Redis, command: str
) -> None:
    gone = {name: PublisherCounters(answered=10, buffered=4, dropped={"buffer_full": 6}) for name in ("one", "two")}
    for name, counters in gone.items():
        client.hset(publisher_counters(name), mapping=counters.to_fields())
    client.zadd(PUBLISHERS, dict.fromkeys(gone, 1))
    client.execute_command("ACL", "SETUSER", "default", f"-{command}")
    for _ in range(2):
        with pytest.raises(RedisAway):
            await stream.retire_publishers(silent_seconds=3600)
    client.execute_command("ACL", "SETUSER", "default", f"+{command}")
    accounts = await stream.accounts()
    assert (accounts.answered, accounts.buffered, sum(accounts.dropped.values())) == (20, 8, 12)
    assert await stream.retire_publishers(silent_seconds=3600) == 2
    assert client.zrange(PUBLISHERS, 0, -1) == ["retired"]
    accounts = await stream.accounts()
    assert (accounts.answered, accounts.buffered, sum(accounts.dropped.values())) == (20, 0, 20)


async def test_publishers_that_cannot_be_added_up_stop_no_event(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    client.set(publisher_counters("spoilt"), "no hash")
    client.zadd(PUBLISHERS, {"spoilt": 1})
    publish(client, events(20))
    async with consuming(redis_server.url, tmp_path):
        await until(lambda: settled(client) == 20)


@pytest.mark.parametrize("damage", [("SET", "no hash"), ("HSET", "answered", "many")], ids=["type", "number"])
async def test_a_publisher_whose_counters_are_damaged_is_missing_and_takes_nothing_else_away(
    stream: RedisStream, client: redis.Redis, batch: Batch, damage: tuple[str, ...]
) -> None:
    assert not await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    client.hset(publisher_counters("gone"), mapping=PublisherCounters(answered=6, dropped={"refused": 6}).to_fields())
    client.rename(publisher_counters("one"), "kept")
    command, *words = damage
    client.execute_command(command, publisher_counters("one"), *words)
    client.zadd(PUBLISHERS, {"gone": 1})
    for _ in range(2):
        accounts = await stream.accounts()
        assert (accounts.answered, accounts.missing, accounts.balanced) == (6, -42, False)
        await stream.retire_publishers(silent_seconds=3600)
    assert set(client.zrange(PUBLISHERS, 0, -1)) == {"one", "retired"}
    client.rename("kept", publisher_counters("one"))
    assert (await stream.accounts()).balanced is True


async def test_a_publisher_whose_counters_may_not_be_read_is_a_refusal_and_none_that_says_nothing(
    stream: RedisStream, client: redis.Redis
) -> None:
    client.zadd(PUBLISHERS, {"one": 1})
    keys = ("predictions", "catnet:pipeline", PUBLISHERS)
    client.execute_command("ACL", "SETUSER", "default", "resetkeys", *(f"~{key}" for key in keys))
    with pytest.raises(RedisAway):
        await stream.accounts()


@pytest.mark.parametrize("command", ["xpending", "xrange", "xclaim", "hincrby", "xack"])
async def test_lost_entries_that_may_not_be_counted_stay_pending(
    stream: RedisStream, client: redis.Redis, command: str
) -> None:
    publish(client, events(30))
    await stream.read("gone", 20)
    client.xtrim(STREAM, maxlen=15, approximate=False)
    client.execute_command("ACL", "SETUSER", "default", f"-{command}")
    for _ in range(2):
        with pytest.raises(RedisAway):
            await stream.claim("one", 100, idle_seconds=0)
    client.execute_command("ACL", "SETUSER", "default", f"+{command}")
    assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 20
    entries, lost = await stream.claim("one", 100, idle_seconds=0)
    assert (len(entries), lost) == (5, 15)
    assert pipeline_counts(client) == {"lost": 15}
