"""Put the monitor together: consumers, the reports and their warm-up, event streams, and metrics, all on one Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from servicekit.application import create_service
from servicekit.ending import end
from servicekit.health import Dependency, Health
from servicekit.problems import problem_response
from starlette.requests import Request
from starlette.responses import Response

from monitor.consumer import Consumer
from monitor.feedback import FeedbackDesk
from monitor.live import LiveReports
from monitor.manifests import Manifests
from monitor.metrics import AggregatesCollector, Snapshot
from monitor.redis_connection import RedisAway
from monitor.redis_stream import RedisStream
from monitor.report import Report, Reports, find_window
from monitor.routes import ROUTES
from monitor.settings import MonitorSettings
from monitor.warm_up import WarmUp
from monitor.windows import DEFAULT_WINDOW, Window

CONSUMERS = 2
"""While Redis applies the batch of one, the batch of the other is computed."""
CLOSE_SECONDS = 1.5
"""How long consumers have at the end: a read that finds nothing takes a second. What they leave stays pending."""


def create_app(settings: MonitorSettings) -> FastAPI:
    """The monitor as an application; it reaches for Redis when it starts, and keeps trying."""
    stream = RedisStream(settings.redis_url)
    manifests = Manifests(settings.models_dir)
    reports = Reports(stream, manifests, default_model=settings.default_model)
    warm_up = WarmUp(stream, reports)
    registry = CollectorRegistry()
    health = Health()
    health.register(Dependency("redis", stream.ping))
    health.register(Dependency("reports", warm_up.check))
    consumers: list[Consumer] = []

    async def check_consumers() -> None:
        for consumer in consumers:
            await consumer.check()

    health.register(Dependency("consumers", check_consumers, required=False))  # what was counted can be shown

    async def build(window: Window, model: str | None) -> Report:
        return await reports.build(window, await reports.manifest(model))

    async def snapshot() -> Snapshot:
        return Snapshot(await reports.totals(), await stream.accounts(), await build(find_window(DEFAULT_WINDOW), None))

    live = LiveReports(build, max_listeners=settings.max_listeners, registry=registry)
    aggregates = AggregatesCollector(snapshot)
    registry.register(aggregates)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        consumer_stream = RedisStream(settings.redis_url)  # connections of its own: no crowd of readers can starve it
        consumers[:] = [
            Consumer(
                consumer_stream,
                manifests,
                batch_events=settings.batch_events,
                claim_idle_seconds=settings.claim_idle_seconds,
                dedupe_hours=settings.dedupe_hours,
            )
            for _ in range(CONSUMERS)
        ]

        async def stop_consuming() -> None:
            await health.draining.wait()
            for consumer in consumers:
                consumer.stop()

        aggregates.open()
        consuming = [asyncio.create_task(consumer.run()) for consumer in consumers]
        warming_up = asyncio.create_task(warm_up.run())
        stopping = asyncio.create_task(stop_consuming())
        try:
            yield
        finally:
            health.draining.set()
            warming_up.cancel()
            await asyncio.wait(consuming, timeout=CLOSE_SECONDS)
            await end(warming_up, *consuming)
            await asyncio.gather(*consuming, warming_up, stopping, return_exceptions=True)
            aggregates.close()
            await consumer_stream.close()
            await stream.close()

    app = create_service("monitor", settings, lifespan=lifespan, health=health, registry=registry, routes=ROUTES)
    app.state.reports = reports
    app.state.live = live
    app.state.feedback = FeedbackDesk(stream, manifests, remembered_hours=settings.dedupe_hours)
    app.add_exception_handler(RedisAway, _answer_redis_away)
    return app


async def _answer_redis_away(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, 503, "The store of the aggregates does not answer.", {"Retry-After": "1"})
