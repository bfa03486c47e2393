"""Where events go, as the publisher sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from events.accounting import PublisherCounters
from events.prediction import PredictionEvent


class StreamUnavailable(Exception):
    """The stream cannot take events now, whatever they hold: it is away, stalled, starting, full, read-only
    or of another type."""


class EventStream(Protocol):
    async def append(self, events: Sequence[PredictionEvent], counters: PublisherCounters) -> int:
        """Append the events in order and replace this publisher's counters, in one step.

        Returns: how many of the events the stream refused for good; the others are in it.
        Raises: StreamUnavailable if it is not known that the step was taken; to be tried again.
        """
        ...

    async def ping(self) -> None:
        """Return if the stream answers; raise if it does not."""
        ...

    async def close(self) -> None:
        """Give back what appending has opened."""
        ...
