"""Work of which one at a time is in a thread, while what waits for that holds none from other work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from inference.workers import Job, Workers, do

Result = TypeVar("Result")


class OneAtATime:
    """What is in work is worked to its end, also where nobody waits for it any more: only then the next one begins."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._waiting: deque[Job] = deque()
        self._working: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run the work in a thread. Cancelled while it still waits, it is never begun."""
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, outcome))
        if self._working is None:
            self._working = asyncio.create_task(self._work_off(), name="one at a time")
        try:
            return await outcome
        finally:
            del outcome  # an error that it holds, holds this frame, and with it the image

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                await self._workers.run(partial(do, *self._waiting.popleft()))
        finally:
            self._working = None
