"""Work runs in a bounded number of threads, and nothing that nobody waits for is begun."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest
from inference.errors import Overloaded
from inference.one_at_a_time import OneAtATime
from inference.workers import Workers

pytestmark = pytest.mark.anyio


async def test_at_most_so_many_requests_are_in_work() -> None:
    workers = Workers(threads=2, max_requests=10)
    lock, release = threading.Lock(), threading.Event()
    both_run = asyncio.Event()
    loop = asyncio.get_running_loop()
    in_work = most = 0

    def work() -> None:
        nonlocal in_work, most
        with lock:
            in_work += 1
            most = max(most, in_work)
            if in_work == 2:
                loop.call_soon_threadsafe(both_run.set)
        release.wait(5)
        with lock:
            in_work -= 1

    tasks = [asyncio.create_task(workers.run(work)) for _ in range(6)]
    async with asyncio.timeout(5):
        await both_run.wait()
        release.set()
        await asyncio.gather(*tasks)
    assert most == 2
    workers.close()


async def test_the_event_loop_is_free_meanwhile_and_abandoned_work_is_never_begun() -> None:
    workers = Workers(threads=1, max_requests=10)
    release = threading.Event()
    occupied = asyncio.Event()
    loop = asyncio.get_running_loop()
    begun: list[str] = []

    def occupy() -> bool:
        loop.call_soon_threadsafe(occupied.set)
        return release.wait(5)

    first = asyncio.create_task(workers.run(occupy))
    await occupied.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await workers.run(lambda: begun.append("abandoned"))
    release.set()
    assert await first
    await workers.run(lambda: begun.append("next"))
    assert begun == ["next"]
    workers.close()


async def test_one_request_too_many_is_refused_with_a_time_to_come_back() -> None:
    workers = Workers(threads=1, max_requests=1)
    with workers.admit():
        with pytest.raises(Overloaded) as refusal, workers.admit():
            pass
        assert refusal.value.status == 429
        assert refusal.value.headers == {"Retry-After": "1"}
    with workers.admit():
        pass
    workers.close()


@pytest.mark.parametrize("is_one_at_a_time", [False, True])
async def test_an_error_is_forgotten_with_its_request_without_the_garbage_collector(*, is_one_at_a_time: bool) -> None:
    class Failure(Exception):
        pass

    def fail() -> None:
        raise Failure

    workers = Workers(threads=1, max_requests=1)
    run = OneAtATime(workers, most_waiting=1).run if is_one_at_a_time else workers.run
    gc.disable()
    try:
        try:
            await run(fail)
        except Failure as failure:
            kept = weakref.ref(failure)
        async with asyncio.timeout(5):
            while kept() is not None:  # noqa: ASYNC110 - the thread lets go of it a moment later, and does not say so
                await asyncio.sleep(0.001)
    finally:
        gc.enable()
    workers.close()
