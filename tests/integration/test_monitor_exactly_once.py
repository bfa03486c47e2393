"""Every event is counted exactly once, whoever dies, repeats or interferes meanwhile; on a real Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from events.accounting import PublisherCounters
from events.names import CONSUMER_GROUP, DEAD_STREAM, PUBLISHERS, STREAM, publisher_counters
from inference.event_publisher import EventPublisher
from inference.redis_event_stream import RedisEventStream
from monitor.batches import StreamEntry, plan
from monitor.consumer import Consumer, NotConsuming
from monitor.manifests import Manifests
from monitor.redis_connection import GroupMissing, RedisAway
from monitor.redis_stream import RedisStream
from preflight import free_port
from redis_server import RedisServer
from structlog.testing import capture_logs

from tests.integration.bad_network import bad_network
from tests.integration.monitoring import (
    CLAIM_IDLE_SECONDS,
    MODEL,
    REMEMBER_SECONDS,
    aggregates,
    consuming,
    events,
    labels,
    new_consumer,
    pipeline_counts,
    publish,
    settled,
    totals,
    until,
)
from tests.processes import ServiceProcess

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stream(redis_server: RedisServer) -> AsyncIterator[RedisStream]:
    stream = RedisStream(redis_server.url)
    await stream.create_group(redeliver_seconds=REMEMBER_SECONDS)
    yield stream
    await stream.close()


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    return Manifests(tmp_path)


async def test_two_consumers_share_the_stream_and_count_each_event_once(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(5000)
    async with consuming(redis_server.url, tmp_path), consuming(redis_server.url, tmp_path):
        for start in range(0, 5000, 500):
            publish(client, some[start : start + 500])
        await until(lambda: settled(client) == 5000)
    assert pipeline_counts(client) == {"consumed": 5000}
    assert totals(client)["events"] == 5000
    assert labels(some).items() <= totals(client).items()
    assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 0


async def test_any_number_of_consumers_and_any_batch_size_give_the_same_counts(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(1000)
    results = []
    for consumers, batch_events in ((1, 5000), (3, 7)):
        client.flushall()
        publish(client, some)
        async with consuming(redis_server.url, tmp_path, batch_events=batch_events):
            others = [consuming(redis_server.url, tmp_path, batch_events=batch_events) for _ in range(consumers - 1)]
            for other in others:
                await other.__aenter__()
            await until(lambda: settled(client) == 1000)
            for other in others:
                await other.__aexit__(None, None, None)
        results.append(aggregates(client))
    assert results[0] == results[1]


async def test_a_batch_applied_twice_changes_nothing_the_second_time(
    stream: RedisStream, client: redis.Redis, manifests: Manifests
) -> None:
    ids = publish(client, events(50))
    batch = plan(await stream.read("one", 100), manifests, stream.keys)
    assert not await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    before = aggregates(client)
    conflict = await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    assert conflict.gone == set(ids)
    assert aggregates(client) == before
    assert pipeline_counts(client) == {"consumed": 50}


async def test_a_batch_that_another_consumer_applied_in_part_is_applied_not_at_all(
    stream: RedisStream, client: redis.Redis, manifests: Manifests
) -> None:
    ids = publish(client, events(20))
    slow = await stream.read("slow", 100)
    claimed, _ = await stream.claim("quick", 5, idle_seconds=0)
    assert [entry.id for entry in claimed] == ids[:5]
    assert not await stream.apply(plan(claimed, manifests, stream.keys), remember_seconds=REMEMBER_SECONDS)
    before = aggregates(client)
    conflict = await stream.apply(plan(slow, manifests, stream.keys), remember_seconds=REMEMBER_SECONDS)
    assert conflict.gone == set(ids[:5])
    assert aggregates(client) == before
    rest = [entry for entry in slow if entry.id not in conflict.gone]
    assert not await stream.apply(plan(rest, manifests, stream.keys), remember_seconds=REMEMBER_SECONDS)
    assert pipeline_counts(client) == {"consumed": 20}


async def test_an_id_that_another_consumer_counted_meanwhile_is_not_counted_again(
    stream: RedisStream, client: redis.Redis, manifests: Manifests
) -> None:
    some = events(3)
    publish(client, [*some, *some])
    first, second = await stream.read("one", 3), await stream.read("two", 3)
    batches = [plan(entries, manifests, stream.keys) for entries in (first, second)]
    assert not await stream.apply(batches[0], remember_seconds=REMEMBER_SECONDS)
    conflict = await stream.apply(batches[1], remember_seconds=REMEMBER_SECONDS)
    assert conflict.known == {event.prediction_id for event in some}
    again = plan(second, manifests, stream.keys, conflict.known)
    assert not await stream.apply(again, remember_seconds=REMEMBER_SECONDS)
    assert pipeline_counts(client) == {"consumed": 3, "duplicates": 3}
    assert totals(client)["events"] == 3


async def test_events_published_twice_are_counted_once(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(1000)
    async with consuming(redis_server.url, tmp_path), consuming(redis_server.url, tmp_path):
        publish(client, some[:700])
        publish(client, some[:700])
        await until(lambda: settled(client) == 1400)
        publish(client, some)
        await until(lambda: settled(client) == 2400)
    assert pipeline_counts(client) == {"consumed": 1000, "duplicates": 1400}
    assert totals(client)["events"] == 1000


async def test_entries_that_are_no_events_are_set_aside_and_stop_nothing(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(100)
    publish(client, some[:50])
    client.xadd(STREAM, {"hello": "world"})
    client.xadd(STREAM, {b"model_name": b"\xff\xfe", b"\x80": b"\x00"})
    client.xadd(STREAM, some[50].to_fields() | {"total_seconds": "NaN"})
    client.xadd(STREAM, some[50].to_fields() | {"request_id": "x" * 5_000_000})
    publish(client, some[50:])
    async with consuming(redis_server.url, tmp_path):
        await until(lambda: settled(client) == 104)
    assert pipeline_counts(client) == {"consumed": 100, "dead": 4}
    reasons = [fields["reason"] for _, fields in client.xrange(DEAD_STREAM)]
    assert reasons[0] == reasons[1] == "schema_version is missing"
    assert "total_seconds" in reasons[2]
    assert "characters" in reasons[3]
    assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 0


async def test_a_consumer_killed_between_reading_and_applying_loses_nothing(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(300)
    publish(client, some)
    program = (
        "import asyncio; from monitor.redis_stream import RedisStream\n"
        "async def main():\n"
        f"    entries = await RedisStream({redis_server.url!r}).read('victim', 200)\n"
        "    print(len(entries), flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())"
    )
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    assert victim.stdout is not None
    assert await victim.stdout.readline() == b"200\n"
    victim.kill()
    await victim.wait()
    assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 200
    async with consuming(redis_server.url, tmp_path):
        await until(lambda: settled(client) == 300)
    assert pipeline_counts(client) == {"consumed": 300}
    assert labels(some).items() <= totals(client).items()


async def test_monitors_killed_in_the_middle_of_their_work_count_every_event_once(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(6000)
    environment = {"REDIS_URL": redis_server.url, "CLAIM_IDLE_SECONDS": str(CLAIM_IDLE_SECONDS), "BATCH_EVENTS": "20"}
    monitors = [
        ServiceProcess("monitor", free_port(), environment, tmp_path / f"monitor-{number}.log") for number in range(2)
    ]
    try:
        for monitor in monitors:
            monitor.start()
        for start in range(0, 6000, 1000):
            publish(client, some[start : start + 1000])
            await until(lambda start=start: settled(client) > start + 100, 60)
            victim = monitors[start // 1000 % 2]
            victim.kill()
            victim.start()
        await until(lambda: settled(client) >= 6000, 60)
        assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 0
    finally:
        for monitor in monitors:
            monitor.kill()
    assert pipeline_counts(client) == {"consumed": 6000}
    assert totals(client)["events"] == 6000


async def test_a_redis_killed_and_restarted_keeps_the_counts_exact(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(3000)
    async with consuming(redis_server.url, tmp_path, batch_events=50):
        for start in range(0, 3000, 1000):
            publish(client, some[start : start + 1000])
            await until(lambda start=start: settled(client) > start + 100)
            await asyncio.to_thread(redis_server.kill)
            await asyncio.to_thread(redis_server.start)
        await until(lambda: settled(client) >= 3000)
    assert pipeline_counts(client) == {"consumed": 3000}
    assert totals(client)["events"] == 3000


async def test_a_redis_that_stands_still_for_longer_than_any_deadline_keeps_the_counts_exact(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.redis_connection.ANSWER_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr("monitor.redis_stream.BLOCK_SECONDS", 0.1)
    pid = client.info("server")["process_id"]
    some = events(4000)
    async with consuming(redis_server.url, tmp_path, batch_events=20) as stream:
        for start in range(0, 4000, 2000):
            publish(client, some[start : start + 2000])
            await until(lambda start=start: settled(client) > start + 100)
            os.kill(pid, signal.SIGSTOP)
            try:
                with pytest.raises(RedisAway):
                    await stream.ping()
            finally:
                os.kill(pid, signal.SIGCONT)
        await until(lambda: settled(client) >= 4000)
    assert pipeline_counts(client) == {"consumed": 4000}
    assert totals(client)["events"] == 4000


@pytest.mark.parametrize("harm", ["cut", "freeze", "lose_replies"])
async def test_a_network_that_fails_in_any_way_keeps_the_counts_exact(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr("monitor.redis_connection.ANSWER_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr("monitor.redis_stream.BLOCK_SECONDS", 0.1)
    some = events(4000)
    async with (
        bad_network(redis_server.url) as (network, url),
        consuming(url, tmp_path, batch_events=20),
        consuming(redis_server.url, tmp_path, batch_events=20),
    ):
        for start in range(0, 4000, 1000):
            publish(client, some[start : start + 1000])
            await until(lambda start=start: settled(client) > start + 100)
            getattr(network, harm)()
            await until(lambda start=start: settled(client) == start + 1000)  # the other consumer claims what is left
            network.mend()
        await until(lambda: client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 0)
    assert pipeline_counts(client) == {"consumed": 4000}
    assert totals(client)["events"] == 4000


async def test_a_flushed_redis_is_started_anew_with_all_that_comes_after(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    async with consuming(redis_server.url, tmp_path):
        publish(client, events(100, seed=1))
        await until(lambda: settled(client) == 100)
        client.flushall()
        publish(client, events(70, seed=2))
        await until(lambda: settled(client) == 70)
    assert totals(client)["events"] == 70


async def test_after_a_flush_the_accounts_balance_while_publishers_go_on(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    appending = RedisEventStream(redis_server.url, instance="one")
    publisher = EventPublisher(appending, buffer_size=1000, wait_seconds=5, flush_seconds=5)
    async with publisher, consuming(redis_server.url, tmp_path) as stream:
        await asyncio.gather(*map(publisher.publish, events(300, seed=1)))
        await until(lambda: settled(client) == 300)
        assert (await stream.accounts()).balanced is True
        client.flushall()
        await asyncio.gather(*map(publisher.publish, events(200, seed=2)))
        await until(lambda: settled(client) == 200)
        await asyncio.gather(*map(publisher.publish, events(10, seed=3)))
        await until(lambda: settled(client) == 210)
        accounts = await stream.accounts()
        assert (accounts.answered, accounts.balanced) == (210, True)
    await appending.close()


async def test_publishers_that_are_gone_are_added_up_and_one_that_comes_back_counts_on(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    async with consuming(redis_server.url, tmp_path) as stream:
        appending = RedisEventStream(redis_server.url, instance="silent")
        publisher = EventPublisher(appending, buffer_size=1000, wait_seconds=5, flush_seconds=5)
        async with publisher:
            await asyncio.gather(*map(publisher.publish, events(30, seed=1)))
            await until(lambda: settled(client) == 30)
            gone = PublisherCounters(answered=50, published=0, buffered=4, dropped={"buffer_full": 46})
            client.hset(publisher_counters("killed"), mapping=gone.to_fields())
            client.zadd(PUBLISHERS, {"killed": 1, "silent": 1})
            assert await stream.retire_publishers(silent_seconds=3600) == 2
            assert await stream.retire_publishers(silent_seconds=3600) == 0
            assert client.zrange(PUBLISHERS, 0, -1) == ["retired"]
            await asyncio.gather(*map(publisher.publish, events(20, seed=2)))
            await until(lambda: settled(client) == 50)
        await appending.close()
        accounts = await stream.accounts()
    assert (accounts.answered, accounts.buffered, accounts.balanced) == (100, 0, True)
    assert {reason: count for reason, count in accounts.dropped.items() if count} == {"buffer_full": 46, "vanished": 4}


async def test_a_vanished_group_is_created_again_and_nothing_is_counted_twice(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    async with consuming(redis_server.url, tmp_path):
        publish(client, events(100, seed=1))
        client.xadd(STREAM, {"hello": "world"})
        await until(lambda: settled(client) == 101)
        client.xgroup_destroy(STREAM, CONSUMER_GROUP)
        publish(client, events(70, seed=2))
        await until(lambda: settled(client) == 272)
    assert pipeline_counts(client) == {"consumed": 170, "duplicates": 101, "dead": 1}
    assert totals(client)["events"] == 170


async def test_a_missing_group_changes_nothing(stream: RedisStream, client: redis.Redis, manifests: Manifests) -> None:
    publish(client, events(10))
    batch = plan(await stream.read("one", 10), manifests, stream.keys)
    client.xgroup_destroy(STREAM, CONSUMER_GROUP)
    with pytest.raises(GroupMissing):
        await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    assert aggregates(client) == {}


async def test_a_full_redis_applies_a_batch_not_at_all_and_then_whole(
    stream: RedisStream, client: redis.Redis, manifests: Manifests
) -> None:
    publish(client, events(10))
    batch = plan(await stream.read("one", 10), manifests, stream.keys)
    client.config_set("maxmemory", "1")
    with pytest.raises(RedisAway):
        await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    client.config_set("maxmemory", "0")
    assert aggregates(client) == {}
    assert not await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    assert pipeline_counts(client) == {"consumed": 10}


async def test_a_consumer_says_so_while_nothing_can_be_counted(
    stream: RedisStream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client, events(10))
    client.config_set("maxmemory", "1")  # an answer to a ping, and to all that only reads, is no answer to a batch
    consumer = new_consumer(stream, tmp_path)
    consuming = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while await consumes(consumer):  # noqa: ASYNC110 - the very thing that is asked
            await asyncio.sleep(0.01)
        client.config_set("maxmemory", "0")
        while not (await consumes(consumer) and pipeline_counts(client) == {"consumed": 10}):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    consumer.stop()
    await consuming


async def test_that_nothing_new_comes_does_not_mend_what_cannot_be_counted(
    stream: RedisStream, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.redis_stream.BLOCK_SECONDS", 0.02)
    tried: list[int] = []
    claim = stream.claim

    async def claim_and_tell(consumer: str, count: int, *, idle_seconds: float) -> tuple[list[StreamEntry], int]:
        entries, lost = await claim(consumer, count, idle_seconds=idle_seconds)
        if entries:
            tried.append(len(entries))
        return entries, lost

    monkeypatch.setattr(stream, "claim", claim_and_tell)
    client.set(stream.keys.models, "no hash")
    publish(client, events(10))
    consumer = new_consumer(stream, tmp_path, claim_idle_seconds=0.1)
    with capture_logs() as logs:
        consuming = asyncio.create_task(consumer.run())
        async with asyncio.timeout(10):
            while await consumes(consumer):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while len(tried) < 3:
                assert not await consumes(consumer)
                await asyncio.sleep(0.01)
            client.delete(stream.keys.models)
            while not await consumes(consumer):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        consumer.stop()
        await consuming
    assert pipeline_counts(client) == {"consumed": 10}
    assert [log["event"] for log in logs] == ["redis is away", "consuming again"]


async def test_what_another_consumer_has_counted_meanwhile_keeps_none_from_consuming(
    stream: RedisStream, client: redis.Redis, manifests: Manifests, tmp_path: Path
) -> None:
    client.set(stream.keys.models, "no hash")
    publish(client, events(10))
    consumer = new_consumer(stream, tmp_path, claim_idle_seconds=3600)
    consuming = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while await consumes(consumer):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        client.delete(stream.keys.models)
        entries, _ = await stream.claim("another", 100, idle_seconds=0)
        assert not await stream.apply(plan(entries, manifests, stream.keys), remember_seconds=REMEMBER_SECONDS)
        while not await consumes(consumer):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    consumer.stop()
    await consuming
    assert pipeline_counts(client) == {"consumed": 10}


async def consumes(consumer: Consumer) -> bool:
    try:
        await consumer.check()
    except NotConsuming:
        return False
    return True


async def test_entries_trimmed_while_a_consumer_had_them_are_counted_as_lost(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client, events(30))
    await stream.read("gone", 20)
    client.xtrim(STREAM, maxlen=15, approximate=False)
    async with consuming(redis_server.url, tmp_path):
        await until(lambda: settled(client) == 30)
    assert pipeline_counts(client) == {"consumed": 15, "lost": 15}
    assert (await stream.accounts()).lost == 15
    assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 0


async def test_entries_trimmed_before_anybody_had_them_are_lost(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, tmp_path: Path
) -> None:
    if "entries-added" not in client.xinfo_stream(STREAM):
        pytest.skip("this Redis does not count the entries ever added (7.0 does)")
    publish(client, events(30))
    client.xtrim(STREAM, maxlen=10, approximate=False)
    assert (await stream.accounts()).lost == 20
    async with consuming(redis_server.url, tmp_path):
        await until(lambda: settled(client) == 10)
    assert (await stream.accounts()).lost == 20


async def test_an_address_that_asks_for_another_protocol_gets_events_counted_all_the_same(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client, events(10))
    async with consuming(f"{redis_server.url}?protocol=3", tmp_path, claim_idle_seconds=3600):
        await until(lambda: settled(client) == 10)


async def test_lag_and_pending_are_exact(stream: RedisStream, client: redis.Redis) -> None:
    publish(client, events(100))
    accounts = await stream.accounts()
    assert (accounts.lag, accounts.lag_is_exact, accounts.pending) == (100, True, 0)
    await stream.read("one", 30)
    accounts = await stream.accounts()
    assert (accounts.lag, accounts.lag_is_exact, accounts.pending) == (70, True, 30)
    await stream.read("one", 100)
    accounts = await stream.accounts()
    assert (accounts.lag, accounts.lag_is_exact, accounts.pending) == (0, True, 100)


async def test_lag_is_exact_in_a_redis_that_has_rewritten_its_log_and_started_anew(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, manifests: Manifests
) -> None:
    async def count(some: int) -> None:
        publish(client, events(some, seed=some))
        batch = plan(await stream.read("one", some), manifests, stream.keys)
        assert not await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)

    await count(100)
    client.bgrewriteaof()
    await until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
    await count(200)
    client.zadd(PUBLISHERS, {"one": 1})
    client.hset(publisher_counters("one"), mapping=PublisherCounters(answered=310, published=310).to_fields())
    redis_server.kill()
    redis_server.start()
    with suppress(RedisAway):
        await stream.ping()  # by the connection that ended
    publish(client, events(10))
    accounts = await stream.accounts()
    assert (accounts.lag, accounts.lag_is_exact, accounts.lost) == (10, True, 0)
    assert accounts.balanced is True


async def test_a_consumer_that_stops_leaves_the_group_and_one_with_entries_stays(
    redis_server: RedisServer, stream: RedisStream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client, events(10))
    await stream.read("busy", 5)
    await stream.read("done", 5)
    client.xack(STREAM, CONSUMER_GROUP, *(entry for entry, *_ in pending_of(client, "done")))
    for consumer in ("busy", "done"):
        await stream.leave(consumer)
    assert [consumer["name"] for consumer in client.xinfo_consumers(STREAM, CONSUMER_GROUP)] == ["busy"]


async def test_everything_but_the_totals_expires(
    stream: RedisStream, client: redis.Redis, manifests: Manifests
) -> None:
    publish(client, events(50))
    batch = plan(await stream.read("one", 50), manifests, stream.keys)
    await stream.apply(batch, remember_seconds=REMEMBER_SECONDS)
    lasting = {key for key in client.scan_iter("catnet:*") if client.ttl(key) == -1}
    assert lasting == {"catnet:pipeline", "catnet:models", f"catnet:total:{MODEL}"}
    for key in client.scan_iter("catnet:minute:*"):
        assert 2 * 3600 < client.ttl(key) <= 3 * 3600 + 60
    for key in client.scan_iter("catnet:hour:*"):
        assert 14 * 86_400 < client.ttl(key) <= 15 * 86_400 + 3600
    for key in client.scan_iter("catnet:counted:*"):
        assert client.ttl(key) == pytest.approx(REMEMBER_SECONDS, abs=5)


def pending_of(client: redis.Redis, consumer: str) -> list[tuple[str, ...]]:
    return [
        (entry["message_id"],)
        for entry in client.xpending_range(STREAM, CONSUMER_GROUP, "-", "+", 100, consumername=consumer)
    ]
