"""Let in only as many requests as can be answered soon; refuse the others at once.

Beyond what a service can carry, a queue only makes everybody wait. So the requests at work are bounded, those that wait
are bounded in number and time, and nobody is let wait whose answer is expected to take too long.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from prometheus_client import Counter

from gateway.errors import TooMuchToDo
from gateway.places import Places

_LEAST_WEIGHT = 0.1
"""Of the newest answer; the first few are averaged."""


class Pace:
    """How long an answer takes for each one that is worked on beside it: a moving average over answers.

    Answers that share a machine take turns, so that n of them take about n times as long as one.
    """

    def __init__(self) -> None:
        self.seconds_each = 0.0
        self.working = 0
        self._answers = 0

    def measured(self) -> _Work:
        """The work for one answer; work that raises was none."""
        return _Work(self)

    def note(self, seconds: float, *, beside: int) -> None:
        """An answer that took so long, as one of so many."""
        self._answers += 1
        self.seconds_each += max(_LEAST_WEIGHT, 1 / self._answers) * (seconds / beside - self.seconds_each)


class _Work:
    __slots__ = ("_beside", "_pace", "_started")

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def __enter__(self) -> None:
        self._pace.working += 1
        self._beside = self._pace.working
        self._started = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            # The first of a burst starts alone, and ends among all of them.
            beside = max(self._beside, self._pace.working)
            self._pace.note(time.monotonic() - self._started, beside=beside)
        self._pace.working -= 1


class Admission:
    """At most ``in_flight`` requests at work, and at most ``queue`` that wait for at most ``queue_seconds``.

    No request is let wait while its answer is expected to take more than ``expected_seconds``.
    ``shed`` counts those refused, by reason.
    """

    def __init__(
        self, *, in_flight: int, queue: int, queue_seconds: float, expected_seconds: float, shed: Counter
    ) -> None:
        self.pace = Pace()
        self._places = Places(in_flight)
        self._queue = queue
        self._queue_seconds = queue_seconds
        self._expected_seconds = expected_seconds
        self._shed = shed

    def check(self) -> None:
        """Raises: TooMuchToDo, where there is no place now."""
        if self._places.are_free:
            return  # whatever is expected: an expectation is corrected only by answers
        if self._places.waiting >= self._queue:
            raise self._refusal("queue_full")
        if (self._places.taken + self._places.waiting + 1) * self.pace.seconds_each > self._expected_seconds:
            raise self._refusal("too_slow")

    async def __aenter__(self) -> None:
        """Hold one of the places while the block runs. Raises: TooMuchToDo."""
        if self._places.are_free:
            await self._places.take()  # at once
        else:
            self.check()
            await self._wait()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._places.give_back()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._places.take()
        except TimeoutError:
            raise self._refusal("queue_timeout") from None

    def _refusal(self, reason: str) -> TooMuchToDo:
        self._shed.labels(reason).inc()
        return TooMuchToDo("There is too much to do right now. Try again in a moment.")
