"""An event stream in memory that can be away, stall, be slow, refuse, choke and lose a reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from events.accounting import PublisherCounters
from events.prediction import PredictionEvent
from inference.event_stream import StreamUnavailable


class MemoryStream:
    """An event stream in memory. ``fault`` is raised by every append while it is set; while ``running`` is not set,
    appends stand still, as those to a stopped Redis do, and fail after ``stall_seconds``."""

    def __init__(self) -> None:
        self.events: list[PredictionEvent] = []
        self.counters: list[PublisherCounters] = []
        self.batches: list[int] = []
        self.fault: Exception | None = None
        self.refuses: Callable[[PredictionEvent], bool] = lambda event: False
        self.poison: Callable[[PredictionEvent], bool] = lambda event: False
        self.loses_reply = False
        self.running = asyncio.Event()
        self.running.set()
        self.stall_seconds = 60.0
        self.append_seconds = 0.0
        self.closed = False

    async def append(self, events: Sequence[PredictionEvent], counters: PublisherCounters) -> int:
        try:
            async with asyncio.timeout(self.stall_seconds):
                await self.running.wait()
        except TimeoutError:
            raise StreamUnavailable("stalled") from None
        await asyncio.sleep(self.append_seconds)  # a round trip: others run meanwhile
        if self.fault is not None:
            raise self.fault
        if any(map(self.poison, events)):
            raise ValueError("cannot be packed")
        accepted = [event for event in events if not self.refuses(event)]
        self.events += accepted
        self.counters.append(counters)
        self.batches.append(len(events))
        if self.loses_reply:
            self.loses_reply = False
            raise StreamUnavailable("reply lost")
        return len(events) - len(accepted)

    async def ping(self) -> None:
        if self.fault is not None:
            raise self.fault

    async def close(self) -> None:
        self.closed = True
