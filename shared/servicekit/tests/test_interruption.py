"""A block ends by itself or by one of its endings, and its own errors are never taken for either."""

from __future__ import annotations

import asyncio

import pytest
from servicekit.interruption import Interrupted, interrupted_at, interrupted_by

pytestmark = pytest.mark.anyio


async def test_a_block_that_ends_by_itself_is_left_alone_and_nothing_watches_on() -> None:
    before = asyncio.all_tasks()
    async with interrupted_by(asyncio.Event().wait):
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("which", [0, 1])
async def test_any_ending_cancels_what_the_block_waits_for(which: int) -> None:
    endings = [asyncio.Event(), asyncio.Event()]
    was_cancelled = False
    asyncio.get_running_loop().call_soon(endings[which].set)
    with pytest.raises(Interrupted):
        async with interrupted_by(endings[0].wait, endings[1].wait):
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 5)
            except asyncio.CancelledError:
                was_cancelled = True
                raise
    assert was_cancelled


async def test_a_block_that_does_not_wait_is_never_interrupted() -> None:
    ended = asyncio.Event()
    ended.set()
    async with interrupted_by(ended.wait):
        pass


@pytest.mark.parametrize("error", [TimeoutError, ValueError, asyncio.CancelledError])
async def test_an_error_of_the_block_stays_what_it_is(error: type[BaseException]) -> None:
    with pytest.raises(error):
        async with interrupted_by(asyncio.Event().wait):
            raise error


async def test_a_block_is_interrupted_at_its_moment_and_not_before() -> None:
    clock = asyncio.get_running_loop().time
    moment = clock() + 0.05
    with pytest.raises(Interrupted), interrupted_at(moment):
        await asyncio.sleep(5)
    assert clock() >= moment


async def test_a_block_that_ends_in_time_is_never_interrupted() -> None:
    with interrupted_at(asyncio.get_running_loop().time() + 0.01):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)


async def test_of_two_blocks_the_one_whose_moment_has_come_is_interrupted() -> None:
    clock = asyncio.get_running_loop().time
    with interrupted_at(clock() + 5):
        with pytest.raises(Interrupted), interrupted_at(clock() + 0.01):
            await asyncio.sleep(5)
        await asyncio.sleep(0)  # the outer one goes on
    with pytest.raises(Interrupted), interrupted_at(clock() + 0.01), interrupted_at(clock() + 5):
        await asyncio.sleep(5)


async def test_a_task_cancelled_by_others_is_cancelled() -> None:
    async def wait() -> None:
        with interrupted_at(asyncio.get_running_loop().time() + 5):
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_same_moment_is_not_taken_for_the_end() -> None:
    ended = asyncio.Event()

    async def wait() -> None:
        async with interrupted_by(ended.wait):
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ended.set()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
