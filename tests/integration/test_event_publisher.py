"""The publisher on a real Redis: nothing lost, nothing out of order, counters exact, whatever happens to Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import redis
from events.accounting import PublisherCounters
from events.names import PUBLISHERS, STREAM, publisher_counters
from events.prediction import PredictionEvent
from inference import redis_event_stream
from inference.event_publisher import EventPublisher
from inference.redis_event_stream import TIMEOUT_SECONDS, RedisEventStream
from redis_server import RedisServer
from structlog.testing import capture_logs

from shared.events.tests.examples import event

pytestmark = pytest.mark.anyio

WAIT_SECONDS = 0.02
NONE_DROPPED = {"buffer_full": 0, "refused": 0, "shutdown": 0}


@pytest.fixture
def instance() -> str:
    return str(uuid.uuid4())


@asynccontextmanager
async def publishing(
    url: str, instance: str, *, wait_seconds: float = WAIT_SECONDS, flush_seconds: float = 5.0
) -> AsyncIterator[EventPublisher]:
    stream = RedisEventStream(url, instance=instance)
    try:
        async with EventPublisher(
            stream, buffer_size=10_000, wait_seconds=wait_seconds, flush_seconds=flush_seconds
        ) as publisher:
            yield publisher
    finally:
        await stream.close()


def stored(client: redis.Redis) -> list[PredictionEvent]:
    return [PredictionEvent.from_fields(fields) for _, fields in client.xrange(STREAM)]


def numbers(client: redis.Redis) -> list[int]:
    return [int(event.prediction_id[-12:], 16) for event in stored(client)]


def stored_counters(client: redis.Redis, instance: str) -> PublisherCounters:
    return PublisherCounters.from_fields(client.hgetall(publisher_counters(instance)))


async def publish_together(publisher: EventPublisher, numbers: range) -> None:
    await asyncio.gather(*(publisher.publish(event(number)) for number in numbers))


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the other process has no event to wait for
            await asyncio.sleep(0.01)


@contextmanager
def stopped(client: redis.Redis) -> Iterator[None]:
    """Redis as a frozen machine: its connections stay open, and nothing is answered."""
    pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_events_are_stored_whole_and_in_order(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        await publish_together(publisher, range(200))
        assert stored(client) == [event(number) for number in range(200)]


async def test_events_that_come_together_share_transactions(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        await publisher.publish(event(0))
        client.config_resetstat()
        for start in range(1, 1001, 100):
            await publish_together(publisher, range(start, start + 100))
    assert client.info("commandstats")["cmdstat_xadd"]["calls"] == 1000
    assert client.info("commandstats")["cmdstat_exec"]["calls"] <= 20


async def test_the_counters_are_exact_at_any_time(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    before = time.time()
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        for count in range(1, 20):
            await publisher.publish(event(count))
            assert stored_counters(client, instance) == PublisherCounters(count, count, 0, NONE_DROPPED)
        listed = client.zscore(PUBLISHERS, instance)
        assert before - 0.001 < listed < time.time() + 0.001  # it is written in milliseconds


async def test_a_publisher_is_listed_once_a_second_and_at_once_where_redis_was_emptied(
    redis_server: RedisServer, client: redis.Redis, instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_event_stream, "LISTING_SECONDS", 60)
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        await publisher.publish(event(0))
        client.delete(PUBLISHERS)
        await publisher.publish(event(1))
        assert client.zscore(PUBLISHERS, instance) is None
        client.flushall()
        await publisher.publish(event(2))
        assert client.zscore(PUBLISHERS, instance) == pytest.approx(time.time(), abs=60)
        assert stored_counters(client, instance) == PublisherCounters(1, 1, 0, NONE_DROPPED)
    monkeypatch.setattr(redis_event_stream, "LISTING_SECONDS", 0)
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        await publisher.publish(event(3))
        client.delete(PUBLISHERS)
        await publisher.publish(event(4))
        assert client.zscore(PUBLISHERS, instance) is not None


async def test_a_publisher_starts_and_answers_without_redis(redis_server: RedisServer, instance: str) -> None:
    redis_server.stop()
    async with publishing(redis_server.url, instance) as publisher:
        await publish_together(publisher, range(50))
        assert publisher.counters == PublisherCounters(50, 0, 50, NONE_DROPPED)
        await asyncio.to_thread(redis_server.start)
        await until(lambda: publisher.counters.published == 50)
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        assert numbers(client) == list(range(50))


async def test_a_redis_that_is_killed_and_restarted_has_every_event_in_order(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with publishing(redis_server.url, instance) as publisher:
        for outage in range(3):
            start = outage * 100
            await publish_together(publisher, range(start, start + 50))
            await asyncio.to_thread(redis_server.kill)
            began = time.monotonic()
            await publish_together(publisher, range(start + 50, start + 100))
            assert time.monotonic() - began < 1
            await asyncio.to_thread(redis_server.start)
        await until(lambda: publisher.counters.buffered == 0)
    assert list(dict.fromkeys(numbers(client))) == list(range(300))
    assert stored_counters(client, instance) == PublisherCounters(300, 300, 0, NONE_DROPPED)


async def test_a_stopped_redis_delays_one_answer_by_the_bound_and_the_next_not_at_all(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with publishing(redis_server.url, instance) as publisher:
        await publisher.publish(event(0))
        await until(lambda: publisher.counters.published == 1)
        with stopped(client):
            began = time.monotonic()
            await publisher.publish(event(1))
            assert WAIT_SECONDS * 0.9 <= time.monotonic() - began < 0.5
            later = [asyncio.create_task(publisher.publish(event(number))) for number in range(2, 100)]
            await asyncio.sleep(0)  # one turn of the loop: none of them waits for anything
            assert all(task.done() for task in later)
            await asyncio.sleep(1.5 * TIMEOUT_SECONDS)  # long enough for the append under way to be given up
        await until(lambda: publisher.counters.buffered == 0)
        assert publisher.counters == PublisherCounters(100, 100, 0, NONE_DROPPED)
    assert list(dict.fromkeys(numbers(client))) == list(range(100))
    assert stored_counters(client, instance) == publisher.counters


async def test_a_lost_reply_repeats_events_but_never_a_count(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with (
        LossyProxy(redis_server.port) as proxy,
        publishing(f"redis://127.0.0.1:{proxy.port}/0", instance, wait_seconds=1) as publisher,
    ):
        await publish_together(publisher, range(5))
        proxy.replies_to_lose = 1
        await publish_together(publisher, range(5, 10))
        await until(lambda: publisher.counters.buffered == 0)
        assert publisher.counters == PublisherCounters(10, 10, 0, NONE_DROPPED)
    assert numbers(client) == [*range(5), *range(5, 10), *range(5, 10)]
    assert stored_counters(client, instance) == PublisherCounters(10, 10, 0, NONE_DROPPED)


async def test_a_full_redis_keeps_events_back_and_drops_none(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with publishing(redis_server.url, instance) as publisher:
        client.config_set("maxmemory", "1")
        await publish_together(publisher, range(20))
        await until(lambda: client.info("errorstats").get("errorstat_OOM", {}).get("count", 0) >= 2)
        assert publisher.counters == PublisherCounters(20, 0, 20, NONE_DROPPED)
        client.config_set("maxmemory", "0")
        await until(lambda: publisher.counters.published == 20)
    assert numbers(client) == list(range(20))


async def test_an_event_that_redis_refuses_is_dropped_and_blocks_nothing(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        client.xadd(STREAM, {"after": "this one there is no more"}, id=f"{2**64 - 1}-{2**64 - 1}")
        await publish_together(publisher, range(5))
        await until(lambda: publisher.counters.buffered == 0)
        client.delete(STREAM)
        await publish_together(publisher, range(5, 10))
    assert numbers(client) == list(range(5, 10))
    assert stored_counters(client, instance) == PublisherCounters(10, 5, 0, {**NONE_DROPPED, "refused": 5})


async def test_a_stream_of_another_type_is_an_outage_told_once_that_drops_no_event(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    with capture_logs() as logs:
        async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
            await publisher.publish(event(0))
            client.delete(STREAM)
            client.set(STREAM, "of another type")
            await publish_together(publisher, range(1, 6))
            await until(lambda: client.info("errorstats").get("errorstat_WRONGTYPE", {}).get("count", 0) >= 15)
            assert publisher.counters == PublisherCounters(6, 1, 5, NONE_DROPPED)
            await until(lambda: stored_counters(client, instance) == publisher.counters)
            client.delete(STREAM)
            await until(lambda: publisher.counters.published == 6)
    assert numbers(client) == list(range(1, 6))
    assert stored_counters(client, instance) == PublisherCounters(6, 6, 0, NONE_DROPPED)
    assert [log["event"] for log in logs] == ["stream unavailable, events are kept back", "stream available again"]


@pytest.mark.parametrize("key", [PUBLISHERS, "the publisher's own"])
async def test_counters_of_another_type_are_told_once_and_events_go_on(
    redis_server: RedisServer, client: redis.Redis, instance: str, key: str
) -> None:
    key = key if key == PUBLISHERS else publisher_counters(instance)
    client.set(key, "of another type")
    with capture_logs() as logs:
        async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
            for number in range(5):
                await publisher.publish(event(number))
                assert numbers(client) == list(range(number + 1))
            client.delete(key)
            await publisher.publish(event(5))
            assert client.zscore(PUBLISHERS, instance) is not None
            assert stored_counters(client, instance) == publisher.counters
    assert numbers(client) == list(range(6))
    assert [log["event"] for log in logs] == [
        "redis refuses the publisher's counters, events go on",
        "redis takes the publisher's counters again",
    ]


@pytest.mark.parametrize("spoilt", [[], [STREAM]], ids=["alone", "with the stream"])
async def test_counters_that_were_refused_between_two_listings_go_on_where_they_were(
    redis_server: RedisServer, client: redis.Redis, instance: str, monkeypatch: pytest.MonkeyPatch, spoilt: list[str]
) -> None:
    monkeypatch.setattr(redis_event_stream, "LISTING_SECONDS", 60)
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        await publisher.publish(event(0))
        keys = [publisher_counters(instance), *spoilt]
        for key in keys:
            client.set(key, "of another type")
        await publisher.publish(event(1))
        for key in keys:
            client.delete(key)
        await publisher.publish(event(2))
        await until(lambda: publisher.counters.published == 3)
        assert stored_counters(client, instance) == PublisherCounters(3, 3, 0, NONE_DROPPED)


async def test_counters_that_redis_refused_begin_anew_where_it_was_emptied(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    async with publishing(redis_server.url, instance, wait_seconds=1) as publisher:
        client.set(publisher_counters(instance), "of another type")
        await publisher.publish(event(0))
        client.flushall()
        await publisher.publish(event(1))
        assert stored_counters(client, instance) == PublisherCounters(1, 1, 0, NONE_DROPPED)


async def test_leaving_is_bounded_and_counts_what_redis_never_took(
    redis_server: RedisServer, client: redis.Redis, instance: str
) -> None:
    with stopped(client):
        began = time.monotonic()
        async with publishing(redis_server.url, instance, flush_seconds=0.5) as publisher:
            await publish_together(publisher, range(5))
        assert time.monotonic() - began < 0.5 + TIMEOUT_SECONDS  # the last append has its time from the same bound
    assert publisher.counters == PublisherCounters(5, 0, 0, {**NONE_DROPPED, "shutdown": 5})


async def test_ping_tells_whether_redis_answers(redis_server: RedisServer, instance: str) -> None:
    stream = RedisEventStream(redis_server.url, instance=instance)
    await stream.ping()
    redis_server.stop()
    with pytest.raises(redis.ConnectionError):
        await stream.ping()


class LossyProxy:
    """Passes everything on to Redis and back, but cuts the connection in place of a reply that it is to lose."""

    def __init__(self, redis_port: int) -> None:
        self._redis_port = redis_port
        self._connections: set[asyncio.Task[None]] = set()
        self.replies_to_lose = 0

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> LossyProxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.gather(*self._connections)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", self._redis_port)
        requests = asyncio.create_task(self._pass_requests_on(reader, redis_writer))
        while reply := await redis_reader.read(65536):
            if self.replies_to_lose and b"\r\n*" in reply:  # the array that answers EXEC
                self.replies_to_lose -= 1
                break
            writer.write(reply)
        requests.cancel()
        for side in (redis_writer, writer):
            side.close()
            await side.wait_closed()

    async def _pass_requests_on(self, reader: asyncio.StreamReader, redis_writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65536):
            redis_writer.write(request)
        redis_writer.write_eof()
