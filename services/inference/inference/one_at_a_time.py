"""Work of which one at a time is in a thread, while what waits for that holds none from other work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from inference.errors import Overloaded
from inference.workers import Job, Workers, do

Result = TypeVar("Result")


class OneAtATime:
    """What is in work is worked to its end, also where nobody waits for it any more: only then the next one begins.

    ``most_waiting``: beside the one in work.
    """

    def __init__(self, workers: Workers, *, most_waiting: int) -> None:
        self._workers = workers
        self._most_waiting = most_waiting
        self._waiting: deque[Job] = deque()
        self._working: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run the work in a thread. Cancelled while it still waits, it is never begun.

        Raises: Overloaded, where too much waits already.
        """
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        job = work, outcome
        if self._working is None:
            self._working = asyncio.create_task(self._work_off(job), name="one at a time")
        elif len(self._waiting) < self._most_waiting:
            self._waiting.append(job)
        else:
            raise Overloaded
        try:
            return await outcome
        except asyncio.CancelledError:
            with suppress(ValueError):  # it is in work, and worked to its end
                self._waiting.remove(job)
            raise
        finally:
            del outcome, job  # an error that it holds, holds this frame, and with it the image

    async def _work_off(self, job: Job) -> None:
        try:
            while True:
                await self._workers.run(partial(do, *job))
                if not self._waiting:
                    return
                job = self._waiting.popleft()
        finally:
            self._working = None
