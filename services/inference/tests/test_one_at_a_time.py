"""One at a time is in work, the others hold no thread, and nothing that nobody waits for is begun."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from inference.errors import Overloaded
from inference.one_at_a_time import OneAtATime
from inference.workers import Workers

pytestmark = pytest.mark.anyio


async def test_the_next_begins_when_the_one_before_is_over_also_where_nobody_waits_for_that_any_more() -> None:
    workers = Workers(threads=3, max_requests=10)
    alone = OneAtATime(workers, most_waiting=2)
    release, occupied = threading.Event(), threading.Event()
    begun: list[str] = []

    def work(name: str) -> Callable[[], str]:
        def begin() -> str:
            begun.append(name)
            occupied.set()
            assert release.wait(10)
            return name

        return begin

    left, leaving, staying = (asyncio.create_task(alone.run(work(name))) for name in ("left", "leaving", "staying"))
    assert await asyncio.to_thread(occupied.wait, 10)
    left.cancel()
    leaving.cancel()
    assert await workers.run(lambda: "another") == "another"
    assert begun == ["left"]
    release.set()
    assert await staying == "staying"
    assert begun == ["left", "staying"]
    workers.close()


async def test_more_than_can_wait_is_refused_until_one_that_waits_is_given_up() -> None:
    workers = Workers(threads=2, max_requests=10)
    alone = OneAtATime(workers, most_waiting=2)
    release, occupied = threading.Event(), threading.Event()

    def occupy() -> bool:
        occupied.set()
        return release.wait(10)

    in_work = asyncio.create_task(alone.run(occupy))
    assert await asyncio.to_thread(occupied.wait, 10)
    giving_up, waiting = (asyncio.create_task(alone.run(lambda: "done")) for _ in range(2))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await alone.run(lambda: "refused")
    giving_up.cancel()
    await asyncio.wait({giving_up})
    next_one = asyncio.create_task(alone.run(lambda: "next"))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await alone.run(lambda: "refused")
    release.set()
    assert await asyncio.gather(in_work, waiting, next_one) == [True, "done", "next"]
    workers.close()


async def test_what_fails_keeps_no_other_waiting() -> None:
    workers = Workers(threads=2, max_requests=10)
    alone = OneAtATime(workers, most_waiting=2)

    def fail() -> None:
        raise ValueError("broken")

    failed, done = await asyncio.gather(alone.run(fail), alone.run(lambda: "done"), return_exceptions=True)
    assert (repr(failed), done) == ("ValueError('broken')", "done")
    assert await alone.run(lambda: "again") == "again"
    workers.close()
