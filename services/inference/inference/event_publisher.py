"""Publish one event an answered prediction, so that an answer leaves after its event is safe, or after a short bound.

Group commit: requests append to one bounded buffer, and one writer sends what has gathered there, in order, as a single
append while the next events gather. Events leave the buffer only when the stream has them, so the buffer is also what
bridges an outage. At every moment

    answered + shadow = published + buffered + sum(dropped)

A retry after a lost reply appends an event twice: its consumer knows it again by its prediction_id, and the counters
that travel with every append are absolute.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Self

import structlog
from events.accounting import PublisherCounters
from events.prediction import PredictionEvent

from inference.event_stream import EventStream, StreamUnavailable

DROP_REASONS = ("buffer_full", "refused", "shutdown")

MAX_BATCH = 512
FIRST_BACKOFF_SECONDS = 0.05
LONGEST_BACKOFF_SECONDS = 1.0

_log = structlog.get_logger("events")


@dataclass(frozen=True, slots=True)
class _Entry:
    """``committed`` is done when the event is in the stream; None where nobody waits for that."""

    event: PredictionEvent
    committed: asyncio.Future[None] | None


class EventPublisher:
    """Used as an async context manager: entering starts the writer, leaving flushes within ``flush_seconds``."""

    def __init__(self, stream: EventStream, *, buffer_size: int, wait_seconds: float, flush_seconds: float) -> None:
        self._stream = stream
        self._buffer_size = buffer_size
        self._wait_seconds = wait_seconds
        self._flush_seconds = flush_seconds
        self._buffer: deque[_Entry] = deque()
        self._answered = 0
        self._shadow = 0
        self._published = 0
        self._dropped: dict[str, int] = dict.fromkeys(DROP_REASONS, 0)
        self._stream_is_responsive = True
        self._work = asyncio.Event()
        self._closing = False

    @property
    def counters(self) -> PublisherCounters:
        return PublisherCounters(
            self._answered, self._published, len(self._buffer), dict(self._dropped), shadow=self._shadow
        )

    async def publish(self, event: PredictionEvent) -> None:
        """Take over one event; return when it is in the stream or ``wait_seconds`` have passed. Never fails.

        While the stream is known not to answer, nobody waits.
        """
        self._answered += 1
        if len(self._buffer) >= self._buffer_size:
            self._dropped["buffer_full"] += 1
            return
        committed = asyncio.get_running_loop().create_future() if self._stream_is_responsive else None
        self._buffer.append(_Entry(event, committed))
        self._work.set()
        if committed is None:
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await committed
        except TimeoutError:
            self._stream_is_responsive = False

    def offer(self, event: PredictionEvent) -> bool:
        """Take over the event of a shadow's prediction, for which nobody waits, unless that could keep back others.

        Returns: False, and nothing is taken or counted, while the stream does not answer or the buffer is full.
        """
        if not self._stream_is_responsive or len(self._buffer) >= self._buffer_size:
            return False
        self._shadow += 1
        self._buffer.append(_Entry(event, None))
        self._work.set()
        return True

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write(), name="event writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing = True
        self._work.set()
        await asyncio.wait({self._writer}, timeout=self._flush_seconds)
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        if self._buffer:
            _log.error("events dropped at shutdown", events=len(self._buffer))
            self._dropped["shutdown"] += len(self._buffer)
            self._buffer.clear()
            with suppress(StreamUnavailable):
                await self._stream.append([], self.counters)

    async def _write(self) -> None:
        """Append what gathers, batch after batch, until closed and empty."""
        written: PublisherCounters | None = None
        batch_size = MAX_BATCH
        failures = 0
        while True:
            if not self._buffer and self.counters == written:
                if self._closing:
                    return
                self._work.clear()
                await self._work.wait()
                continue
            batch = list(islice(self._buffer, batch_size))
            counters = PublisherCounters(
                self._answered,
                self._published + len(batch),
                len(self._buffer) - len(batch),
                dict(self._dropped),
                shadow=self._shadow,
            )
            try:
                refused = await self._stream.append([entry.event for entry in batch], counters)
            except StreamUnavailable as error:
                if not failures:
                    _log.warning("stream unavailable, events are kept back", reason=str(error))
                failures += 1
                self._stop_waiting()
                await asyncio.sleep(_backoff_seconds(failures))
                continue
            except Exception:
                _log.exception("events cannot be appended", events=len(batch))
                if len(batch) > 1:  # one of them is the cause: find it, so that only that one is lost
                    batch_size = len(batch) // 2
                    continue
                refused = len(batch)
            if failures:
                _log.info("stream available again", events_kept_back=len(self._buffer))
            batch_size, failures, written = MAX_BATCH, 0, counters
            self._settle(batch, refused)

    def _settle(self, batch: list[_Entry], refused: int) -> None:
        self._stream_is_responsive = True
        self._published += len(batch) - refused
        self._dropped["refused"] += refused
        for entry in batch:
            self._buffer.popleft()
            _release(entry)

    def _stop_waiting(self) -> None:
        self._stream_is_responsive = False
        for entry in self._buffer:
            _release(entry)


def _release(entry: _Entry) -> None:
    if entry.committed is not None and not entry.committed.done():  # done: its request has stopped waiting
        entry.committed.set_result(None)


def _backoff_seconds(failures: int) -> float:
    """Doubling with jitter, so that the publishers of many processes do not come back as one."""
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(failures, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311 - not a secret
