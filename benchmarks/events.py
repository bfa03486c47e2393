"""What it costs inference to publish an event: CPU a request, with and without publishing, in one alternating run.

A request is all that inference does for one but the bytes of HTTP: its own route reads the body, decodes and predicts
in its threads, and builds the answer; the events go to a Redis with an append-only log. What differs is the publisher.
The cost is the median over the rounds of the difference between the two halves of a round.

By itself: ``PYTHONPATH=deploy/local python -m benchmarks.events``.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis
import uvloop
from events.prediction import PredictionEvent
from inference.event_publisher import EventPublisher
from inference.metrics import InferenceMetrics
from inference.model_registry import ModelRegistry
from inference.prediction_service import PredictionService
from inference.redis_event_stream import RedisEventStream
from inference.routes import PredictionRoutes
from inference.served_models import ServedModels
from inference.settings import InferenceSettings
from inference.shadow import Shadow
from inference.workers import Workers
from prometheus_client import CollectorRegistry
from redis_server import ROOT
from servicekit.request_context import begin_request
from starlette.types import Message, Scope

from benchmarks.photos import drawn_photo, encoded
from tests.processes import run_redis

MODEL = "catnet-mlp"
CONCURRENCIES = (1, 8, 64)
GOAL_MICROSECONDS = 35
"""A request, where several are under way: they share transactions."""


@dataclass(frozen=True, slots=True)
class Effort:
    """``requests`` a half round: enough that its beginning and end, when few are under way, count little."""

    rounds: int = 16
    requests: int = 1024


@dataclass(frozen=True, slots=True)
class _Cost:
    """Units: CPU microseconds a request, one a round. ``group`` is the mean number of events a transaction."""

    concurrency: int
    without: Sequence[float]
    publishing: Sequence[float]
    group: float


class _Unpublished(EventPublisher):
    async def publish(self, event: PredictionEvent, *, in_the_making: int = 0) -> None:
        """Leave the event where it is."""


def measure_events(effort: Effort) -> str:
    """Run the benchmark. Returns: the results as Markdown."""
    with tempfile.TemporaryDirectory(prefix="catnet-bench-") as directory, run_redis(Path(directory)) as server:
        costs = uvloop.run(_measure(server.url, effort))
    return "\n".join(_table(costs))


async def _measure(redis_url: str, effort: Effort) -> list[_Cost]:
    settings = InferenceSettings(models_dir=ROOT / "models", default_model=MODEL, redis_url=redis_url)
    stream = RedisEventStream(redis_url, instance=str(uuid.uuid4()))
    publisher, unpublished = (
        kind(stream, buffer_size=10_000, wait_seconds=settings.event_wait_seconds, flush_seconds=2)
        for kind in (EventPublisher, _Unpublished)
    )
    photo = encoded(drawn_photo(64, 64), "JPEG")
    async with publisher:
        with_events, without_events = _predict(settings, publisher), _predict(settings, unpublished)
        costs = [
            await _compare(with_events, without_events, photo, concurrency, effort, redis_url)
            for concurrency in CONCURRENCIES
        ]
    await stream.close()
    return costs


async def _compare(
    with_events: PredictionRoutes,
    without_events: PredictionRoutes,
    photo: bytes,
    concurrency: int,
    effort: Effort,
    redis_url: str,
) -> _Cost:
    await _load(with_events, photo, concurrency, effort.requests)
    with redis.Redis.from_url(redis_url) as client:
        client.config_resetstat()
        rounds = [
            (
                await _load(without_events, photo, concurrency, effort.requests),
                await _load(with_events, photo, concurrency, effort.requests),
            )
            for _ in range(effort.rounds)
        ]
        calls = client.info("commandstats")
    without, publishing = zip(*rounds, strict=True)
    return _Cost(concurrency, without, publishing, calls["cmdstat_xadd"]["calls"] / calls["cmdstat_exec"]["calls"])


def _predict(settings: InferenceSettings, publisher: EventPublisher) -> PredictionRoutes:
    """Inference's own route, put together as its application does."""
    metrics = CollectorRegistry()
    models = ServedModels(partial(ModelRegistry.load, settings.models_dir, settings.default_model), metrics)
    workers = Workers(threads=settings.worker_threads, max_requests=settings.max_requests)
    service = PredictionService(
        workers=workers,
        publisher=publisher,
        shadow=Shadow(lambda: models.current.default, share=0, publisher=publisher, metrics=metrics),
        metrics=InferenceMetrics(metrics),
        max_image_pixels=settings.max_image_pixels,
    )
    return PredictionRoutes(settings, models=models, workers=workers, service=service)


async def _load(routes: PredictionRoutes, photo: bytes, concurrency: int, requests: int) -> float:
    """Returns: CPU microseconds of this process a request."""
    remaining = iter(range(requests))

    async def connection() -> None:
        for _ in remaining:
            await asyncio.create_task(_ask(routes, photo))

    began = time.process_time()
    await asyncio.gather(*(connection() for _ in range(concurrency)))
    return (time.process_time() - began) / requests * 1e6


async def _ask(routes: PredictionRoutes, photo: bytes) -> None:
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": b"",
        "headers": [(b"x-request-id", b"a" * 32), (b"traceparent", b"00-%b-%b-01" % (b"a" * 32, b"b" * 16))],
    }
    begin_request(scope)
    messages: list[Message] = [{"type": "http.request", "body": photo, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"inference answered {message['status']}")

    await routes.predict(scope, receive, send)


def _table(costs: Sequence[_Cost]) -> list[str]:
    lines = [
        f"CPU of inference a request, 64x64 JPEG, {MODEL}. An event is to cost at most {GOAL_MICROSECONDS} µs where",
        "several requests are under way.",
        "",
        "| requests at a time | without µs | with events µs | an event costs µs (quartiles) | events a transaction |",
        "|---|---|---|---|---|",
    ]
    for cost in costs:
        differences = [after - before for before, after in zip(cost.without, cost.publishing, strict=True)]
        low, middle, high = statistics.quantiles(differences, n=4)
        lines.append(
            f"| {cost.concurrency} | {statistics.median(cost.without):.0f} | {statistics.median(cost.publishing):.0f}"
            f" | {middle:.0f} ({low:.0f} to {high:.0f}) | {cost.group:.1f} |"
        )
    return lines


if __name__ == "__main__":
    print(measure_events(Effort()))
