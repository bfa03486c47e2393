"""Only so many requests are at work, only so many wait, and only while an answer can be expected soon."""

from __future__ import annotations

import asyncio

import pytest
from gateway.admission import Admission
from gateway.errors import TooMuchToDo
from gateway.metrics import GatewayMetrics
from prometheus_client import CollectorRegistry

pytestmark = pytest.mark.anyio


class Door:
    """An admission whose guests stay until they are sent home."""

    def __init__(
        self, *, in_flight: int = 8, queue: int = 2, queue_seconds: float = 5.0, expected_seconds: float = 60.0
    ) -> None:
        self._registry = CollectorRegistry()
        self.admission = Admission(
            in_flight=in_flight,
            queue=queue,
            queue_seconds=queue_seconds,
            expected_seconds=expected_seconds,
            shed=GatewayMetrics(self._registry).requests_shed,
        )
        self.inside: list[int] = []
        self.open = asyncio.Event()

    async def enter(self, guest: int) -> None:
        async with self.admission.work():
            self.inside.append(guest)
            await self.open.wait()

    async def come(self, *guests: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.enter(guest)) for guest in guests]
        await asyncio.sleep(0)
        return tasks

    def shed(self, reason: str) -> float:
        return self._registry.get_sample_value("catnet_requests_shed_total", {"reason": reason}) or 0.0


async def test_beyond_the_places_and_the_queue_the_next_is_refused_at_once() -> None:
    door = Door(in_flight=4, queue=2)
    tasks = await door.come(1, 2, 3, 4, 5, 6)
    assert door.inside == [1, 2, 3, 4]
    with pytest.raises(TooMuchToDo) as refusal:
        await asyncio.wait_for(door.enter(7), 0.05)
    assert (refusal.value.status, refusal.value.headers["Retry-After"]) == (429, "1")
    assert door.shed("queue_full") == 1
    door.open.set()
    await asyncio.gather(*tasks)


async def test_those_who_wait_come_in_in_their_order() -> None:
    door = Door(in_flight=1, queue=3)
    tasks = await door.come(1, 2, 3, 4)
    door.open.set()
    await asyncio.gather(*tasks)
    assert door.inside == [1, 2, 3, 4]


async def test_nobody_waits_longer_than_the_limit() -> None:
    door = Door(in_flight=1, queue_seconds=0.01)
    tasks = await door.come(1)
    with pytest.raises(TooMuchToDo):
        await asyncio.wait_for(door.enter(2), 5)
    assert door.shed("queue_timeout") == 1
    door.open.set()
    await asyncio.gather(*tasks)
    await door.enter(3)


async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    door = Door(in_flight=1, queue=1)
    tasks = await door.come(1, 2)
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    tasks += await door.come(3)
    door.open.set()
    await asyncio.gather(tasks[0], tasks[2])
    assert door.inside == [1, 3]


async def test_nobody_waits_for_an_answer_that_is_expected_too_late() -> None:
    door = Door(in_flight=4, queue=100, expected_seconds=0.5)
    door.admission.pace.seconds_each = 0.05
    tasks = await door.come(*range(10))
    with pytest.raises(TooMuchToDo):
        await door.enter(10)
    assert door.shed("too_slow") == 1
    door.open.set()
    await asyncio.gather(*tasks)


async def test_who_finds_a_place_comes_in_whatever_is_expected() -> None:
    door = Door(in_flight=8, expected_seconds=0.5)
    door.admission.pace.seconds_each = 100.0
    tasks = await door.come(*range(8))
    assert len(door.inside) == 8
    door.open.set()
    await asyncio.gather(*tasks)


async def test_the_pace_is_that_of_the_work_shared_by_those_who_do_it() -> None:
    admission = Door().admission
    machine = asyncio.Lock()

    async def work() -> None:
        async with admission.work(), machine:
            await asyncio.sleep(0.005)

    for _ in range(10):
        await asyncio.gather(*(work() for _ in range(8)))
    assert 0.004 < admission.pace.seconds_each < 0.05  # not eight times as much


async def test_work_that_failed_says_nothing_of_the_pace() -> None:
    admission = Door().admission
    with pytest.raises(ValueError, match="broken"):
        async with admission.work():
            raise ValueError("broken")
    assert (admission.pace.seconds_each, admission.places.taken) == (0.0, 0)
