"""Warm-up: every report is built once before readiness says ready, and again each minute, whether anyone looks or not.

A report reads the buckets that have changed since the last one of its window. That is all of them after a start, and an
hour's after an hour in which nobody looked: too many for a person to wait for, none when this has looked meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from monitor.redis_connection import RedisAway
from monitor.redis_stream import RedisStream
from monitor.report import Reports
from monitor.windows import WINDOWS

_log = structlog.get_logger("warm_up")

MAX_MODELS = 3
"""The default one and the busiest others; reports of any other are cold."""
DEADLINE_SECONDS = 10.0
"""How long readiness waits at most, from the first answer of Redis on; a second or so is usual."""
RETRY_SECONDS = 0.2
AGAIN_SECONDS = 60.0


class WarmingUp(Exception):
    """Not all reports have been built yet."""


class WarmUp:
    """Runs as a task beside the service."""

    def __init__(self, stream: RedisStream, reports: Reports) -> None:
        self._stream = stream
        self._reports = reports
        self.is_over = False

    async def check(self) -> None:
        """Raises: WarmingUp until the reports are built, or took too long."""
        if not self.is_over:
            raise WarmingUp

    async def run(self) -> None:
        """Until cancelled. Without Redis there is nothing to build, and the service is not ready anyway."""
        await _done(self._redis_answers)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await _done(self._build)
        except TimeoutError:
            _log.warning("the first reports will be slow", deadline_seconds=DEADLINE_SECONDS)
        self.is_over = True
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            if await self._redis_answers():  # and not a replica by now, whose reports would be old
                await self._build()

    async def _redis_answers(self) -> bool:
        with suppress(RedisAway):
            await self._stream.ping()
            return True
        return False

    async def _build(self) -> bool:
        """Build the reports of all windows; whether that went well."""
        try:
            for manifest in reversed(await self._reports.busiest(MAX_MODELS)):  # what is read last is kept longest
                for window in WINDOWS.values():
                    await self._reports.build(window, manifest)
        except RedisAway as error:  # whoever asks for a report is told so, but not why
            if self.is_over:
                _log.warning("a report cannot be built ahead", reason=str(error))
            return False
        except Exception:
            _log.exception("a report cannot be built ahead")
            return False
        return True


async def _done(attempt: Callable[[], Awaitable[bool]]) -> None:
    while not await attempt():  # noqa: ASYNC110 - Redis has no event to wait for
        await asyncio.sleep(RETRY_SECONDS)
