"""Let in only as many requests as can be answered soon; refuse the others at once.

Beyond what a service can carry, a queue only makes everybody wait. So the requests at work are bounded, those that wait
are bounded in number and time, and nobody is let wait whose answer is expected to take too long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from prometheus_client import Counter

from gateway.errors import TooMuchToDo

_LEAST_WEIGHT = 0.1
"""Of the newest answer; the first few are averaged."""


class Pace:
    """How long an answer takes for each one that is worked on beside it: a moving average over answers.

    Answers that share a machine take turns, so that n of them take about n times as long as one.
    """

    def __init__(self) -> None:
        self.seconds_each = 0.0
        self._working = 0
        self._answers = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """The work for one answer; work that raises was none."""
        loop = asyncio.get_running_loop()
        self._working += 1
        beside = self._working
        started = loop.time()
        try:
            yield
            beside = max(beside, self._working)  # the first of a burst starts alone, and ends among all of them
            seconds_each = (loop.time() - started) / beside
            self._answers += 1
            self.seconds_each += max(_LEAST_WEIGHT, 1 / self._answers) * (seconds_each - self.seconds_each)
        finally:
            self._working -= 1


class Admission:
    """At most ``in_flight`` requests at work, and at most ``queue`` that wait for at most ``queue_seconds``.

    No request is let wait while its answer is expected to take more than ``expected_seconds``.
    ``shed`` counts those refused, by reason.
    """

    def __init__(
        self, *, in_flight: int, queue: int, queue_seconds: float, expected_seconds: float, shed: Counter
    ) -> None:
        self.pace = Pace()
        self._free = asyncio.Semaphore(in_flight)
        self._queue = queue
        self._queue_seconds = queue_seconds
        self._expected_seconds = expected_seconds
        self._shed = shed
        self._in_flight = 0
        self._waiting = 0

    def check(self) -> None:
        """Raises: TooMuchToDo, where there is no place now."""
        if not self._free.locked():
            return  # whatever is expected: an expectation is corrected only by answers
        if self._waiting >= self._queue:
            raise self._refusal("queue_full")
        if (self._in_flight + self._waiting + 1) * self.pace.seconds_each > self._expected_seconds:
            raise self._refusal("too_slow")

    async def __aenter__(self) -> None:
        """Hold one of the places while the block runs. Raises: TooMuchToDo."""
        self.check()
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()  # at once
        self._in_flight += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._in_flight -= 1
        self._free.release()

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise self._refusal("queue_timeout") from None
        finally:
            self._waiting -= 1

    def _refusal(self, reason: str) -> TooMuchToDo:
        self._shed.labels(reason).inc()
        return TooMuchToDo("There is too much to do right now. Try again in a moment.")
