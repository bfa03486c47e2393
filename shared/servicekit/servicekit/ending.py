"""End tasks that may take no notice of it at first."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_SECONDS = 0.05


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel until all have ended: while redis-py connects, a cancellation may be lost on it, and the task goes on.

    Waits for as long as that takes: only for tasks that end once a cancellation reaches them.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
