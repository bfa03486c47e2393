"""One job a turn of the event loop, in order, and none for who has left."""

from __future__ import annotations

import asyncio

import pytest
from inference.turns import Turns

pytestmark = pytest.mark.anyio


async def test_one_job_a_turn_of_the_loop_in_order_of_arrival() -> None:
    turns = Turns()
    now = 0
    done: list[tuple[int, int]] = []

    async def job(number: int) -> None:
        await turns.take()
        done.append((now, number))

    jobs = [asyncio.create_task(job(number)) for number in range(5)]
    while len(done) < 5:
        await asyncio.sleep(0)
        now += 1
    await asyncio.gather(*jobs)
    assert [number for _, number in done] == [0, 1, 2, 3, 4]
    assert len({turn for turn, _ in done}) == 5


async def test_who_comes_alone_waits_for_nothing() -> None:
    turns = Turns()
    for _ in range(3):
        taking = turns.take()
        with pytest.raises(StopIteration):
            taking.send(None)  # it ends without having waited
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_the_turn_of_who_has_left_is_the_next_ones() -> None:
    turns = Turns()
    await turns.take()
    leaving, staying = (asyncio.create_task(turns.take()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    async with asyncio.timeout(5):
        await staying
