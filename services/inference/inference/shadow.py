"""A second model that repeats a share of the predictions, off the request path, to be compared before it takes over.

Its predictions go to the stream as events of their own that say which answered prediction they repeat. Nobody waits for
them: where the queue is full, or the stream does not answer, they are dropped and counted. So a slow shadow costs
requests nothing, and what an outage lets keep is kept for predictions that were answered.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog
from events.prediction import PredictionEvent
from nnlib.model import Model
from prometheus_client import CollectorRegistry, Counter

from inference.event_publisher import EventPublisher
from inference.prediction_events import shadow_event_of
from inference.predictor import ImagePrediction, predict_batch

QUEUE_SIZE = 256
"""Pictures that wait; each takes 12 kilobytes."""

MAX_BATCH = 16

DROP_REASONS = ("queue_full", "stream_away", "failed", "shutdown")

_log = structlog.get_logger("shadow")


@dataclass(frozen=True, slots=True)
class _Served:
    event: PredictionEvent
    prediction: ImagePrediction


class Shadow:
    """Used as an async context manager: entering starts the scoring, leaving ends it and drops what waits.

    The model is asked for at every batch, so that a reload is followed.
    """

    def __init__(
        self, model: Callable[[], Model], *, share: float, publisher: EventPublisher, metrics: CollectorRegistry
    ) -> None:
        """Units: share 0..1, of the answered predictions."""
        self._model = model
        self._share = share
        self._publisher = publisher
        self._queue: asyncio.Queue[_Served] = asyncio.Queue(QUEUE_SIZE)
        self._predictions = Counter(
            "catnet_shadow_predictions", "Predictions that the shadow model repeated.", registry=metrics
        )
        dropped = Counter(
            "catnet_shadow_dropped", "Predictions that were to be repeated and were not.", ["reason"], registry=metrics
        )
        self._dropped = {reason: dropped.labels(reason) for reason in DROP_REASONS}

    def consider(self, event: PredictionEvent, prediction: ImagePrediction) -> None:
        """Take over an answered prediction, if the share wants it. Never waits, never fails."""
        if random.random() >= self._share:  # noqa: S311 - not a secret
            return
        try:
            self._queue.put_nowait(_Served(event, prediction))
        except asyncio.QueueFull:
            self._dropped["queue_full"].inc()

    async def __aenter__(self) -> Self:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="shadow")
        self._scoring = asyncio.create_task(self._score(), name="shadow")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scoring.cancel()
        await asyncio.gather(self._scoring, return_exceptions=True)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._dropped["shutdown"].inc(self._queue.qsize())

    async def _score(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._repeat(batch)
            except Exception:
                _log.exception("shadow predictions failed", predictions=len(batch))
                self._dropped["failed"].inc(len(batch))
            except asyncio.CancelledError:
                self._dropped["shutdown"].inc(len(batch))
                raise

    async def _repeat(self, batch: list[_Served]) -> None:
        model = self._model()
        repeated = await asyncio.get_running_loop().run_in_executor(
            self._executor, predict_batch, model, [served.prediction.image for served in batch]
        )
        # All of them before the first is offered: where one fails, the whole batch counts as failed.
        events = [
            shadow_event_of(prediction, model.manifest, served.event)
            for served, prediction in zip(batch, repeated, strict=True)
        ]
        for event in events:
            if self._publisher.offer(event):
                self._predictions.inc()
            else:
                self._dropped["stream_away"].inc()
