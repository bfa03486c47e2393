"""Put inference together: the one place that knows every part."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from servicekit.application import create_service
from servicekit.health import Dependency, Health

from inference.event_publisher import EventPublisher
from inference.event_stream import EventStream
from inference.metrics import InferenceMetrics, PublisherCollector
from inference.model_registry import ModelRegistry
from inference.redis_event_stream import RedisEventStream
from inference.routes import PredictionRoutes
from inference.settings import InferenceSettings
from inference.workers import Workers


def create_app(settings: InferenceSettings, *, stream: EventStream | None = None) -> FastAPI:
    """The application, its models loaded; it starts and serves whether or not Redis is there.

    Raises: ModelRefused.
    """
    models = ModelRegistry.load(settings.models_dir, settings.default_model)
    stream = stream or RedisEventStream(settings.redis_url, instance=str(uuid.uuid4()))
    publisher = EventPublisher(
        stream,
        buffer_size=settings.event_buffer_size,
        wait_seconds=settings.event_wait_seconds,
        flush_seconds=settings.event_flush_seconds,
    )
    workers = Workers(threads=settings.worker_threads, max_requests=settings.max_requests)
    registry = CollectorRegistry()
    registry.register(PublisherCollector(lambda: publisher.counters))
    metrics = InferenceMetrics(registry, [model.manifest for model in models])
    routes = PredictionRoutes(settings, models=models, workers=workers, publisher=publisher, metrics=metrics)

    async def a_model_is_served() -> None:
        models.get(None)

    health = Health()
    health.register(Dependency("model", a_model_is_served))
    health.register(Dependency("redis", stream.ping, required=False))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with publisher:
            yield
        workers.close()
        await stream.close()

    return create_service(
        "inference", settings, lifespan=lifespan, health=health, registry=registry, routes=routes.routes()
    )
