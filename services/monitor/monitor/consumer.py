"""The loop that reads the stream, computes what it changes, and applies it: any number of replicas may run it.

Nothing here is remembered that Redis does not know: a batch that fails half-way stays pending, and is claimed later.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
import uuid
from contextlib import suppress

import structlog

from monitor.batches import StreamEntry, plan
from monitor.manifests import Manifests
from monitor.redis_connection import GroupMissing, RedisAway
from monitor.redis_stream import RedisStream

_log = structlog.get_logger("consumer")

MAX_BATCH_CHARACTERS = 4_000_000
"""About how much text one batch may hold; the next reads ask for fewer entries when the last were large."""
FIRST_BACKOFF_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 2.0
GATHER_SECONDS = 0.1
"""Before the next read of a stream that had little: a hundred events in one batch cost about what three in one do."""
SILENT_SECONDS = 24 * 3600.0
"""How long a publisher says nothing before its counters are added to those of the ones that are gone."""
RETIREMENT_INTERVAL_SECONDS = 3600.0


class NotConsuming(Exception):
    """What was tried last failed, and is tried again."""


class Consumer:
    """One member of the consumer group."""

    def __init__(
        self,
        stream: RedisStream,
        manifests: Manifests,
        *,
        batch_events: int,
        claim_idle_seconds: float,
        dedupe_hours: int,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._stream = stream
        self._manifests = manifests
        self._batch_events = batch_events
        self._next_count = min(batch_events, 100)
        self._claim_idle_seconds = claim_idle_seconds
        self._next_claim = 0.0
        self._next_retirement = 0.0
        self._dedupe_seconds = dedupe_hours * 3600
        self._failures = 0
        """In a row."""
        self._could_not_apply = False
        """The last batch, and what was to change is waiting still."""
        self._stopping = asyncio.Event()

    async def check(self) -> None:
        """Raises: NotConsuming."""
        if self._failures:
            raise NotConsuming

    def stop(self) -> None:
        """End ``run`` after the batch at hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped. Whatever fails is logged and tried again: this task never ends by itself."""
        while not self._stopping.is_set():
            try:
                await self._step()
            except GroupMissing:
                self._failures += await self._create_group()
            except RedisAway as error:
                self._failures += 1
                if self._failures == 1:
                    _log.warning("redis is away", reason=str(error))
            except Exception:
                self._failures += 1
                _log.exception("a batch failed; its entries stay pending")
            else:
                if not self._could_not_apply:
                    if self._failures:
                        _log.info("consuming again", failures=self._failures)
                    self._failures = 0
                continue
            await self._pause(self._failures)
        if not self._failures:
            await self._leave()

    async def _step(self) -> None:
        entries: list[StreamEntry] = []
        if time.monotonic() >= self._next_retirement:
            # Noted first: where Redis refuses, events are counted all the same, and the next try is in an hour.
            self._next_retirement = time.monotonic() + RETIREMENT_INTERVAL_SECONDS
            await self._stream.retire_publishers(silent_seconds=SILENT_SECONDS)
        if time.monotonic() >= self._next_claim:
            entries = await self._claim()
        asked = self._next_count
        entries = entries or await self._stream.read(self.name, asked)
        if entries:
            await self._apply(entries)
        elif self._could_not_apply:  # that there is nothing new says nothing of what is old
            self._could_not_apply = await self._stream.has_pending()
        if 0 < len(entries) < asked:
            await self._rest(GATHER_SECONDS)

    async def _claim(self) -> list[StreamEntry]:
        entries, lost = await self._stream.claim(self.name, self._next_count, idle_seconds=self._claim_idle_seconds)
        if lost:
            _log.error("entries were dropped from the stream before they were counted", lost=lost)
        if entries:
            if not self._could_not_apply:  # else it is what this one or its neighbour has tried in vain
                _log.info("claimed entries that nobody finished", entries=len(entries))
        else:
            self._next_claim = time.monotonic() + self._claim_idle_seconds / 2
        return entries

    async def _apply(self, entries: list[StreamEntry]) -> None:
        self._could_not_apply = True
        known: frozenset[str] = frozenset()
        while entries:
            batch = plan(entries, self._manifests, self._stream.keys, known)
            affordable = MAX_BATCH_CHARACTERS * len(entries) // max(batch.characters, 1)
            self._next_count = min(self._batch_events, max(1, affordable))
            conflict = await self._stream.apply(batch, remember_seconds=self._dedupe_seconds)
            if not conflict:
                break
            # Every round takes at least one entry or id out of the way, so the rounds come to an end.
            entries = [entry for entry in entries if entry.id not in conflict.gone]
            known |= conflict.known
        self._could_not_apply = False

    async def _create_group(self) -> int:
        """Create the missing group; return 1 if that failed."""
        try:
            had_aggregates = await self._stream.create_group(redeliver_seconds=self._dedupe_seconds)
        except RedisAway as error:
            _log.warning("the consumer group cannot be created", reason=str(error))
            return 1
        if had_aggregates:
            _log.warning("the consumer group had vanished: reading again what is remembered as counted")
        else:
            _log.warning("no consumer group and no aggregates: starting anew, with the whole stream")
        return 0

    async def _pause(self, failures: int) -> None:
        """Back off with jitter, until stopped."""
        if failures:
            longest = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(failures, 10))
            await self._rest(random.uniform(longest / 2, longest))  # noqa: S311 - no secret

    async def _rest(self, seconds: float) -> None:
        """So long, or until stopped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _leave(self) -> None:
        try:
            await self._stream.leave(self.name)
        except RedisAway:
            _log.info("left the group without saying so: redis is away")
