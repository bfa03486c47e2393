"""A bounded number of threads for decoding and predicting, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from inference.errors import Overloaded

Result = TypeVar("Result")


class Workers:
    """At most ``threads`` requests in work, at most ``max_requests`` in work and waiting together."""

    def __init__(self, *, threads: int, max_requests: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="worker")
        self._max_requests = max_requests
        self._admitted = 0

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place: taken before the body is read, so that the bound holds for memory too.

        Raises: Overloaded if every place is taken.
        """
        if self._admitted >= self._max_requests:
            raise Overloaded
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run the work in a thread. Cancelled while it still waits for one, it is never begun."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
