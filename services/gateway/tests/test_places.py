"""Places are given in order of arrival, and none is lost with those who give up waiting."""

from __future__ import annotations

import asyncio

import pytest
from gateway.places import Places

pytestmark = pytest.mark.anyio


async def waiting(places: Places, number: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(places.take()) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


async def test_a_place_given_back_goes_to_whoever_has_waited_longest() -> None:
    places = Places(1)
    await places.take()
    first, second = await waiting(places, 2)
    assert (places.taken, places.waiting) == (1, 2)
    places.give_back()
    await first
    assert (second.done(), places.taken, places.waiting) == (False, 1, 1)
    places.give_back()
    await second
    places.give_back()
    assert (places.taken, places.waiting) == (0, 0)


async def test_nobody_overtakes_those_who_wait() -> None:
    places = Places(1)
    await places.take()
    (waits,) = await waiting(places, 1)
    places.give_back()
    (late,) = await waiting(places, 1)
    assert (waits.done(), late.done()) == (True, False)
    late.cancel()


async def test_who_gives_up_leaves_the_line() -> None:
    places = Places(1)
    await places.take()
    gives_up, stays = await waiting(places, 2)
    gives_up.cancel()
    places.give_back()  # before the one that gives up knows of it
    await stays
    with pytest.raises(asyncio.CancelledError):
        await gives_up
    assert (places.taken, places.waiting) == (1, 0)


async def test_a_place_given_to_one_who_gives_up_at_that_moment_goes_to_the_next() -> None:
    places = Places(1)
    await places.take()
    gives_up, stays = await waiting(places, 2)
    places.give_back()
    gives_up.cancel()
    await asyncio.wait_for(stays, 5)
    places.give_back()
    assert places.taken == 0
