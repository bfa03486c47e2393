"""A bounded number of threads for decoding and predicting, off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from inference.errors import Overloaded
from inference.under_way import UnderWay

Result = TypeVar("Result")

Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Workers:
    """At most ``threads`` requests in work, at most ``max_requests`` in work and waiting together.

    Not an executor of the standard library: its futures are made for threads that wait for one another, and cost a
    small image as much as its forward pass. Here work goes to a thread, and its outcome comes back, in one step each.
    """

    def __init__(self, *, threads: int, max_requests: int) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=_work, args=(self._jobs,), name=f"worker_{number}", daemon=True)
            for number in range(threads)
        ]
        self._are_started = False
        self._max_requests = max_requests
        self._admitted = UnderWay()

    def admit(self) -> UnderWay:
        """For ``with``: hold a place, taken before the body is read, so that the bound holds for memory too.

        Raises: Overloaded if every place is taken.
        """
        if self._admitted.number >= self._max_requests:
            raise Overloaded
        return self._admitted

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run the work in a thread. Cancelled while it still waits for one, it is never begun."""
        if not self._are_started:
            self._are_started = True
            for thread in self._threads:
                thread.start()
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._jobs.put((work, outcome))
        try:
            return await outcome
        finally:
            del outcome  # an error that it holds, holds this frame, and with it the image

    def close(self) -> None:
        """Drop what waits, and let each thread end after what it has in work."""
        with suppress(Empty):
            while job := self._jobs.get_nowait():
                job[1].cancel()
        for _ in self._threads:
            self._jobs.put(None)


def _work(jobs: SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        do(*job)
        del job  # or its image would be held until the next one comes


def do(work: Callable[[], Any], outcome: asyncio.Future[Any]) -> None:
    """Do the work in this thread, unless nobody waits for its outcome; tell it on the event loop. Never fails."""
    if outcome.cancelled():
        return
    settle: Callable[[Any], None] = outcome.set_result
    try:
        value = work()
    except BaseException as error:  # it is raised where it is awaited
        settle, value = outcome.set_exception, error
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        outcome.get_loop().call_soon_threadsafe(_settle, outcome, settle, value)
    del work, outcome, settle, value  # an error holds this frame and its callers', which must not hold the error


def _settle(outcome: asyncio.Future[Any], settle: Callable[[Any], None], value: Any) -> None:
    if not outcome.cancelled():
        settle(value)
