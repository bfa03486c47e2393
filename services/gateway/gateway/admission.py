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

_AVERAGED_ANSWERS = 10
"""The first ones have equal weights; each later one weighs as much as the last of these."""


class Pace:
    """How long an answer takes for each one that is worked on beside it: a moving average over answers.

    Answers that share a machine take turns, so that n of them take about n times as long as one.
    """

    def __init__(self) -> None:
        self.seconds_each = 0.0
        self._answers = 0

    def note(self, seconds: float, *, beside: int) -> None:
        """An answer that took so long, as one of so many."""
        if self._answers < _AVERAGED_ANSWERS:
            self._answers += 1
        self.seconds_each += (seconds / beside - self.seconds_each) / self._answers


class Admission:
    """At most ``in_flight`` requests at work, and at most ``queue`` that wait for at most ``queue_seconds``.

    No request is let wait while its answer is expected to take more than ``expected_seconds``.
    ``shed`` counts those refused, by reason; ``of`` begins the reasons where they are not about photos.
    """

    def __init__(
        self, *, in_flight: int, queue: int, queue_seconds: float, expected_seconds: float, shed: Counter, of: str = ""
    ) -> None:
        self.pace = Pace()
        self.places = Places(in_flight)
        self._queue = queue
        self._queue_seconds = queue_seconds
        self._expected_seconds = expected_seconds
        self._shed = shed
        self._of = of

    def check(self) -> None:
        """Raises: TooMuchToDo, where there is no place now."""
        places = self.places
        if places.taken < places.number:
            return  # whatever is expected: an expectation is corrected only by answers
        if places.waiting >= self._queue:
            raise self.refusal("queue_full")
        if (places.taken + places.waiting + 1) * self.pace.seconds_each > self._expected_seconds:
            raise self.refusal("too_slow")

    def work(self) -> _Work:
        """The work for one answer: holds one of the places while the block runs, and tells the pace how long it was.

        What raises was no work. Raises: TooMuchToDo.
        """
        return _Work(self)

    async def wait(self) -> None:
        """For a place that is taken now. Raises: TooMuchToDo."""
        self.check()
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self.places.take()
        except TimeoutError:
            raise self.refusal("queue_timeout") from None

    def refusal(self, reason: str) -> TooMuchToDo:
        """Count one that is refused. Returns: what to raise."""
        self._shed.labels(self._of + reason).inc()
        return TooMuchToDo("There is too much to do right now. Try again in a moment.")


class _Work:
    __slots__ = ("_admission", "_beside", "_started")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def __aenter__(self) -> None:
        places = self._admission.places
        if places.taken < places.number:
            await places.take()  # at once
        else:
            await self._admission.wait()
        self._beside = places.taken
        self._started = time.monotonic()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        places = self._admission.places
        if kind is None:
            # The first of a burst starts alone, and ends among all of them.
            beside = places.taken if places.taken > self._beside else self._beside
            self._admission.pace.note(time.monotonic() - self._started, beside=beside)
        places.give_back()
