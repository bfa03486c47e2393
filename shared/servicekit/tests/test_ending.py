"""What is told to end has ended afterwards, also where it was told more than once."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from servicekit.ending import end

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_task_that_loses_a_cancellation_ends_all_the_same() -> None:
    async def loses_the_first() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    async def is_done() -> None:
        pass

    tasks = [asyncio.create_task(work()) for work in (loses_the_first, loses_the_first, is_done)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(*tasks)
    assert all(task.done() for task in tasks)
