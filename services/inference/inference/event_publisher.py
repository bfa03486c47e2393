"""Publish one event an answered prediction, so that an answer leaves after its event is safe, or after a short bound.

Group commit: requests append to one bounded buffer, and one writer sends what has gathered there, in order, as a single
append while the next events gather. An event whose neighbours are about to come waits for them a moment, because what
an append costs, here and in the stream, is mostly the same for one event as for many. Events leave the buffer only when
the stream has them, so the buffer is also what bridges an outage. At every moment

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
from servicekit.ending import end

from inference.event_stream import EventStream, StreamUnavailable

DROP_REASONS = ("buffer_full", "refused", "shutdown")

GATHER_SECONDS = 0.00015
"""Longest that an append is put off for each event that is about to come: a fraction of what making it takes."""

GATHER_SHARE = 1 / 3
"""Of ``wait_seconds``, at the most: the rest is left to the append."""

LAST_APPEND_SHARE = 1 / 4
"""Of ``flush_seconds``: kept for telling the stream what was dropped."""

MAX_BATCH = 512
FIRST_BACKOFF_SECONDS = 0.05
LONGEST_BACKOFF_SECONDS = 1.0

_log = structlog.get_logger("events")


@dataclass(slots=True)
class _Entry:
    """``committed`` is done when the event is in the stream, or at ``until``; None where nobody waits for that."""

    event: PredictionEvent
    committed: asyncio.Future[None] | None = None
    until: float = 0.0


class EventPublisher:
    """Used as an async context manager: entering starts the writer, leaving flushes.

    ``flush_seconds`` is the longest that leaving takes. Where ``leave_within`` has said when all must be over, it is
    the longest that leaving waits without progress: while the stream takes events, it goes on until then.
    """

    def __init__(self, stream: EventStream, *, buffer_size: int, wait_seconds: float, flush_seconds: float) -> None:
        self._stream = stream
        self._buffer_size = buffer_size
        self._wait_seconds = wait_seconds
        self._longest_gathering = wait_seconds * GATHER_SHARE
        self._flush_seconds = flush_seconds
        self._buffer: deque[_Entry] = deque()
        self._answered = 0
        self._shadow = 0
        self._published = 0
        self._dropped: dict[str, int] = dict.fromkeys(DROP_REASONS, 0)
        self._stream_is_responsive = True
        self._unavailable: StreamUnavailable | None = None
        """Why the last append failed, if it did."""
        self._due = asyncio.Event()
        self._due.set()  # the first append says that this publisher is there
        self._gathering: asyncio.TimerHandle | None = None
        self._patience: asyncio.TimerHandle | None = None
        """Of those who wait: one timer for all, which looks again when it ends."""
        self._closing = False
        self._leaves_by: float | None = None

    @property
    def counters(self) -> PublisherCounters:
        return PublisherCounters(
            self._answered, self._published, len(self._buffer), dict(self._dropped), shadow=self._shadow
        )

    async def publish(self, event: PredictionEvent, *, in_the_making: int = 0) -> None:
        """Take over one event; return when it is in the stream or ``wait_seconds`` have passed. Never fails.

        ``in_the_making``: how many are about to follow. While these are more than those that wait here, it pays to wait
        for some of them, within GATHER_SECONDS each; then the ones are sent while the others are made.
        While the stream is known not to answer, nobody waits.
        """
        self._answered += 1
        if len(self._buffer) >= self._buffer_size:
            self._dropped["buffer_full"] += 1
            self._due.set()
            return
        if not self._stream_is_responsive:
            self._buffer.append(_Entry(event))
            self._due.set()
            return
        loop = asyncio.get_running_loop()
        committed = loop.create_future()
        until = loop.time() + self._wait_seconds
        self._buffer.append(_Entry(event, committed, until))
        self._request_append(
            loop,
            within_seconds=in_the_making * GATHER_SECONDS if in_the_making > len(self._buffer) else 0,
        )
        if self._patience is None:
            self._patience = loop.call_at(until, self._end_patience)
        await committed

    def offer(self, event: PredictionEvent) -> bool:
        """Take over the event of a shadow's prediction, for which nobody waits, unless that could keep back others.

        Returns: False, and nothing is taken or counted, while the stream does not answer or the buffer is full.
        """
        if not self._stream_is_responsive or len(self._buffer) >= self._buffer_size:
            return False
        self._shadow += 1
        self._buffer.append(_Entry(event))
        self._request_append(asyncio.get_running_loop(), within_seconds=self._longest_gathering)
        return True

    async def check(self) -> None:
        """Raises: StreamUnavailable, while the stream takes no events and they are kept back."""
        if self._unavailable is not None:
            raise StreamUnavailable(str(self._unavailable))

    def leave_within(self, seconds: float) -> None:
        """Have left that many seconds from now, and use what of them is not yet over when leaving begins."""
        self._leaves_by = asyncio.get_running_loop().time() + seconds

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write(), name="event writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing = True
        self._due.set()
        last_append_seconds = self._flush_seconds * LAST_APPEND_SHARE
        await self._flush(self._flush_seconds - last_append_seconds, last_append_seconds)
        await end(self._writer)
        await asyncio.gather(self._writer, return_exceptions=True)
        if self._buffer:
            _log.error("events dropped at shutdown", events=len(self._buffer))
            self._dropped["shutdown"] += len(self._buffer)
            self._buffer.clear()
            with suppress(StreamUnavailable, TimeoutError):
                async with asyncio.timeout(last_append_seconds):
                    await self._stream.append([], self.counters)

    async def _flush(self, patience_seconds: float, reserved_seconds: float) -> None:
        """Let the writer go on for the patience, and again for as long where the buffer became shorter meanwhile.

        ``reserved_seconds``: of the time in which to leave, what is needed afterwards.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + patience_seconds if self._leaves_by is None else self._leaves_by - reserved_seconds
        while not self._writer.done() and (left_seconds := ends - loop.time()) > 0:
            buffered = len(self._buffer)
            await asyncio.wait({self._writer}, timeout=min(patience_seconds, left_seconds))
            if len(self._buffer) >= buffered:
                return

    def _request_append(self, loop: asyncio.AbstractEventLoop, *, within_seconds: float) -> None:
        if not within_seconds:
            self._due.set()
        elif self._gathering is None:
            self._gathering = loop.call_later(min(within_seconds, self._longest_gathering), self._due.set)

    def _begin_to_gather(self) -> None:
        self._due.clear()
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    async def _write(self) -> None:
        """Append what has gathered whenever that is due, until closed and empty."""
        batch_size = MAX_BATCH
        failures = 0
        while True:
            if not self._closing:
                await self._due.wait()
            elif not self._buffer and not self._due.is_set():
                return
            self._begin_to_gather()
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
                self._unavailable = error
                self._stop_waiting()
                await asyncio.sleep(_backoff_seconds(failures))
                self._due.set()
                continue
            except Exception:
                _log.exception("events cannot be appended", events=len(batch))
                if len(batch) > 1:  # one of them is the cause: find it, so that only that one is lost
                    batch_size = len(batch) // 2
                    self._due.set()
                    continue
                refused = len(batch)
            if failures:
                _log.info("stream available again", events_kept_back=len(self._buffer))
            batch_size, failures = MAX_BATCH, 0
            self._settle(batch, refused)
            if refused or counters.buffered:
                self._due.set()

    def _settle(self, batch: list[_Entry], refused: int) -> None:
        self._stream_is_responsive = True
        self._unavailable = None
        self._published += len(batch) - refused
        self._dropped["refused"] += refused
        for entry in batch:
            self._buffer.popleft()
            _release(entry.committed)

    def _stop_waiting(self) -> None:
        self._stream_is_responsive = False
        for entry in self._buffer:
            _release(entry.committed)

    def _end_patience(self) -> None:
        """Stop waiting if the first who waits has done so for as long as that is bearable."""
        self._patience = None
        loop = asyncio.get_running_loop()
        until = next((entry.until for entry in self._buffer if entry.committed is not None), None)
        if until is None:
            return
        if until <= loop.time():
            self._stop_waiting()
        else:
            self._patience = loop.call_at(until, self._end_patience)


def _release(committed: asyncio.Future[None] | None) -> None:
    if committed is not None and not committed.done():  # done: its request has stopped waiting
        committed.set_result(None)


def _backoff_seconds(failures: int) -> float:
    """Doubling with jitter, so that the publishers of many processes do not come back as one."""
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(failures, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311 - not a secret
