"""Every answered prediction is published, kept back or counted as dropped; and none waits for that beyond its bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from events.accounting import PublisherCounters
from events.prediction import PredictionEvent
from hypothesis import given
from hypothesis import strategies as st
from inference import event_publisher
from inference.event_publisher import MAX_BATCH, EventPublisher
from inference.event_stream import StreamUnavailable

from services.inference.tests.memory_stream import MemoryStream
from shared.events.tests.examples import event

pytestmark = pytest.mark.anyio

WAIT_SECONDS = 0.02


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_publisher, "FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(event_publisher, "LONGEST_BACKOFF_SECONDS", 0.005)


def publisher_of(
    stream: MemoryStream, *, buffer_size: int = 1000, wait_seconds: float = WAIT_SECONDS, flush_seconds: float = 5.0
) -> EventPublisher:
    return EventPublisher(stream, buffer_size=buffer_size, wait_seconds=wait_seconds, flush_seconds=flush_seconds)


def balanced(counters: PublisherCounters) -> bool:
    return counters.answered == counters.published + counters.buffered + sum(counters.dropped.values())


def number_of(event: PredictionEvent) -> int:
    return int(event.prediction_id[-12:], 16)


def numbers(stream: MemoryStream) -> list[int]:
    return [number_of(event) for event in stream.events]


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - not every condition has an event to wait for
            await asyncio.sleep(0.001)


async def test_an_answer_leaves_after_its_event_is_in_the_stream(stream: MemoryStream) -> None:
    async with publisher_of(stream, wait_seconds=5) as publisher:
        for number in range(3):
            await publisher.publish(event(number))
            assert numbers(stream)[-1] == number


async def test_requests_that_come_together_share_appends(stream: MemoryStream) -> None:
    async with publisher_of(stream, wait_seconds=5) as publisher:
        await asyncio.gather(*(publisher.publish(event(number)) for number in range(100)))
    assert numbers(stream) == list(range(100))
    assert len([size for size in stream.batches if size]) <= 2


async def test_an_event_waits_for_those_that_are_about_to_come(
    stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_publisher, "GATHER_SECONDS", 60)
    async with publisher_of(stream, wait_seconds=1000) as publisher:
        await until(lambda: bool(stream.batches))
        waiting = []
        for number in range(5):
            waiting.append(asyncio.create_task(publisher.publish(event(number), in_the_making=99 if number < 4 else 0)))
            await asyncio.sleep(0.005)  # longer than an append takes
            assert not stream.events or number == 4
        await asyncio.gather(*waiting)
    assert numbers(stream) == list(range(5))
    assert [size for size in stream.batches if size] == [5]


@pytest.mark.parametrize(("gather_seconds", "wait_seconds"), [(0.05, 60), (60, 0.4)])
async def test_an_event_that_is_followed_by_none_waits_for_a_moment_only_and_never_past_its_bound(
    stream: MemoryStream, monkeypatch: pytest.MonkeyPatch, gather_seconds: float, wait_seconds: float
) -> None:
    monkeypatch.setattr(event_publisher, "GATHER_SECONDS", gather_seconds)
    async with publisher_of(stream, wait_seconds=wait_seconds) as publisher:
        for number in range(2):
            async with asyncio.timeout(5):
                await publisher.publish(event(number), in_the_making=99)
            assert numbers(stream)[-1] == number


async def test_what_gathers_when_the_publisher_closes_is_flushed_at_once(
    stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_publisher, "GATHER_SECONDS", 60)
    async with asyncio.timeout(5):
        async with publisher_of(stream, wait_seconds=1000) as publisher:
            await until(lambda: bool(stream.batches))
            publishing = asyncio.create_task(publisher.publish(event(0), in_the_making=99))
            await asyncio.sleep(0)
        await publishing
    assert numbers(stream) == [0]


async def test_an_append_is_bounded_and_the_order_is_kept(stream: MemoryStream) -> None:
    stream.fault = StreamUnavailable("away")
    async with publisher_of(stream, buffer_size=10_000, wait_seconds=0.001) as publisher:
        for number in range(3 * MAX_BATCH):
            await publisher.publish(event(number))
        stream.fault = None
        await until(lambda: publisher.counters.published == 3 * MAX_BATCH)
    assert numbers(stream) == list(range(3 * MAX_BATCH))
    assert max(stream.batches) == MAX_BATCH


async def test_a_stalled_stream_delays_an_answer_by_the_bound_and_then_not_at_all(stream: MemoryStream) -> None:
    stream.running.clear()
    async with publisher_of(stream) as publisher:
        began = time.monotonic()
        await publisher.publish(event(0))
        first = time.monotonic() - began
        assert WAIT_SECONDS * 0.9 <= first < 1
        later = [asyncio.create_task(publisher.publish(event(number))) for number in range(1, 50)]
        await asyncio.sleep(0)  # one turn of the loop: none of them waits for anything
        assert all(task.done() for task in later)
        stream.running.set()
    assert numbers(stream) == list(range(50))


async def test_waiting_resumes_when_the_stream_is_back(stream: MemoryStream) -> None:
    stream.fault = StreamUnavailable("away")
    async with publisher_of(stream, wait_seconds=5) as publisher:
        async with asyncio.timeout(1):  # released by the failure, long before its bound of 5 s
            await publisher.publish(event(0))
        stream.fault = None
        await until(lambda: publisher.counters.buffered == 0)
        await publisher.publish(event(1))
        assert numbers(stream) == [0, 1]


async def test_it_says_so_while_the_stream_takes_no_events(stream: MemoryStream) -> None:
    async with publisher_of(stream) as publisher:
        await publisher.check()
        stream.fault = StreamUnavailable("OOM")  # to a PING, such a Redis answers
        await publisher.publish(event(0))
        with pytest.raises(StreamUnavailable, match="OOM"):
            await publisher.check()
        stream.fault = None
        await until(lambda: publisher.counters.buffered == 0)
        await publisher.check()


async def test_what_does_not_fit_the_buffer_is_dropped_and_counted(stream: MemoryStream) -> None:
    stream.fault = StreamUnavailable("away")
    async with publisher_of(stream, buffer_size=10) as publisher:
        for number in range(15):
            await publisher.publish(event(number))
        assert publisher.counters == PublisherCounters(15, 0, 10, {"buffer_full": 5, "refused": 0, "shutdown": 0})
        stream.fault = None
    assert numbers(stream) == list(range(10))
    assert publisher.counters == PublisherCounters(15, 10, 0, {"buffer_full": 5, "refused": 0, "shutdown": 0})


async def test_the_stream_learns_the_last_counters_even_when_traffic_stops(stream: MemoryStream) -> None:
    stream.refuses = lambda event: number_of(event) == 1
    async with publisher_of(stream) as publisher:
        for number in range(3):
            await publisher.publish(event(number))
        await until(lambda: stream.counters[-1] == publisher.counters)
        assert publisher.counters == PublisherCounters(3, 2, 0, {"buffer_full": 0, "refused": 1, "shutdown": 0})


async def test_an_idle_publisher_writes_nothing(stream: MemoryStream) -> None:
    async with publisher_of(stream) as publisher:
        await publisher.publish(event(0))
        appends = len(stream.batches)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(stream.batches) == appends


async def test_one_poisonous_event_is_dropped_alone(stream: MemoryStream) -> None:
    stream.poison = lambda event: number_of(event) == 137
    async with publisher_of(stream, flush_seconds=60) as publisher:  # each failure on the way to it is logged in full
        await asyncio.gather(*(publisher.publish(event(number)) for number in range(300)))
    assert numbers(stream) == [number for number in range(300) if number != 137]
    assert publisher.counters == PublisherCounters(300, 299, 0, {"buffer_full": 0, "refused": 1, "shutdown": 0})


async def test_a_retry_after_a_lost_reply_counts_once(stream: MemoryStream) -> None:
    async with publisher_of(stream) as publisher:
        await until(lambda: bool(stream.batches))
        stream.loses_reply = True
        await publisher.publish(event(7))
    assert numbers(stream) == [7, 7]  # the consumer knows it by its id
    assert publisher.counters.published == stream.counters[-1].published == 1


async def test_closing_flushes_in_order(stream: MemoryStream) -> None:
    stream.fault = StreamUnavailable("away")
    async with publisher_of(stream) as publisher:
        for number in range(20):
            await publisher.publish(event(number))
        stream.fault = None
    assert numbers(stream) == list(range(20))
    assert stream.counters[-1] == publisher.counters


async def test_closing_is_bounded_and_counts_what_it_leaves(stream: MemoryStream) -> None:
    stream.running.clear()
    stream.stall_seconds = 0.05
    began = time.monotonic()
    async with publisher_of(stream, flush_seconds=0.1) as publisher:
        for number in range(20):
            await publisher.publish(event(number))
    assert time.monotonic() - began < 2
    assert publisher.counters == PublisherCounters(20, 0, 0, {"buffer_full": 0, "refused": 0, "shutdown": 20})


async def kept_back(publisher: EventPublisher, stream: MemoryStream, events: int) -> None:
    """Have so many events wait for a stream that is back, and takes them slowly, one in 20 ms."""
    stream.fault = StreamUnavailable("away")
    for number in range(events):
        await publisher.publish(event(number))
    stream.fault, stream.append_seconds = None, 0.02


async def test_leaving_ends_though_a_cancellation_is_lost_in_the_stream(
    stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = 0

    async def append(*_: object) -> int:
        nonlocal lost
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            lost += 1
            if lost > 1:
                raise
        raise StreamUnavailable("away")

    monkeypatch.setattr(stream, "append", append)
    async with asyncio.timeout(5):
        async with publisher_of(stream, flush_seconds=0.1) as publisher:
            await publisher.publish(event(0))
    assert lost > 1
    assert publisher.counters.dropped["shutdown"] == 1


async def test_leaving_goes_on_while_the_stream_takes_events(
    stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_publisher, "MAX_BATCH", 1)
    async with publisher_of(stream, flush_seconds=0.4) as publisher:
        await kept_back(publisher, stream, 40)
        publisher.leave_within(60)
    assert numbers(stream) == list(range(40))


async def test_progress_does_not_keep_it_past_the_time_by_which_it_is_to_leave(
    stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_publisher, "MAX_BATCH", 1)
    async with publisher_of(stream, flush_seconds=0.4) as publisher:
        await kept_back(publisher, stream, 1000)
        began = time.monotonic()
        publisher.leave_within(0.6)
    assert time.monotonic() - began < 5
    counters = publisher.counters
    assert counters.dropped["shutdown"] == 1000 - counters.published > 0
    assert stream.counters[-1] == counters  # the time for telling it was left


async def test_the_last_append_to_a_stream_that_stands_still_has_its_share_of_the_bound(stream: MemoryStream) -> None:
    stream.running.clear()
    began = time.monotonic()
    async with publisher_of(stream, flush_seconds=0.1) as publisher:
        await publisher.publish(event(0))
        publisher.leave_within(60)
    assert time.monotonic() - began < 5  # an append stands still for a minute
    assert publisher.counters == PublisherCounters(1, 0, 0, {"buffer_full": 0, "refused": 0, "shutdown": 1})


@given(
    steps=st.lists(
        st.sampled_from(["publish", "publish, more to come", "away", "back", "lose reply", "turn"]), max_size=60
    ),
    buffer_size=st.integers(1, 8),
    refused=st.sets(st.integers(0, 20)),
)
def test_the_counters_balance_at_every_moment(steps: list[str], buffer_size: int, refused: set[int]) -> None:
    async def scenario() -> None:
        stream = MemoryStream()
        stream.refuses = lambda event: number_of(event) in refused
        answered = 0
        async with publisher_of(stream, buffer_size=buffer_size, wait_seconds=0) as publisher:
            for step in steps:
                match step:
                    case "publish" | "publish, more to come":
                        await publisher.publish(event(answered), in_the_making=0 if step == "publish" else 99)
                        answered += 1
                    case "away" | "back":
                        stream.fault = StreamUnavailable("away") if step == "away" else None
                    case "lose reply":
                        stream.loses_reply = True
                    case "turn":
                        await asyncio.sleep(0.002)
                assert balanced(publisher.counters)
                assert publisher.counters.answered == answered
                assert all(map(balanced, stream.counters))
            stream.fault = None
        assert publisher.counters.buffered == 0
        assert balanced(publisher.counters)
        assert stream.counters[-1] == publisher.counters
        assert len(set(numbers(stream))) == publisher.counters.published

    asyncio.run(scenario())
