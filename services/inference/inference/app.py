"""Put inference together: the one place that knows every part."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from servicekit.application import create_service
from servicekit.health import Dependency, Health

from inference.event_publisher import EventPublisher
from inference.event_stream import EventStream
from inference.explanation_routes import ExplanationRoutes
from inference.hangup import on_hangup
from inference.metrics import InferenceMetrics, PublisherCollector
from inference.model_files import ModelFileRoutes
from inference.model_registry import ModelRefused, ModelRegistry
from inference.open_inference.routes import OpenInferenceRoutes, error_response
from inference.prediction_service import PredictionService
from inference.redis_event_stream import RedisEventStream
from inference.routes import PredictionRoutes
from inference.served_models import ServedModels
from inference.settings import InferenceSettings
from inference.shadow import Shadow
from inference.workers import Workers

ENDING_SECONDS = 0.25
"""What the process takes to end when all is flushed, with a margin."""


def create_app(settings: InferenceSettings, *, stream: EventStream | None = None) -> FastAPI:
    """The application, its models loaded; it starts and serves whether or not Redis is there.

    Raises: ModelRefused.
    """
    registry = CollectorRegistry()
    models = ServedModels(
        partial(ModelRegistry.load, settings.models_dir, settings.default_model, settings.shadow_model), registry
    )
    stream = stream or RedisEventStream(settings.redis_url, instance=str(uuid.uuid4()))
    publisher = EventPublisher(
        stream,
        buffer_size=settings.event_buffer_size,
        wait_seconds=settings.event_wait_seconds,
        flush_seconds=settings.event_flush_seconds,
    )
    workers = Workers(threads=settings.worker_threads, max_requests=settings.max_requests)
    explainers = Workers(threads=1, max_requests=settings.max_explanations)
    registry.register(PublisherCollector(lambda: publisher.counters))
    shadow = Shadow(
        lambda: models.current.get(settings.shadow_model),
        share=settings.shadow_share if settings.shadow_model else 0.0,
        publisher=publisher,
        metrics=registry,
    )
    service = PredictionService(
        workers=workers,
        publisher=publisher,
        shadow=shadow,
        metrics=InferenceMetrics(registry),
        max_image_pixels=settings.max_image_pixels,
    )
    health = Health()
    health.register(Dependency("redis", stream.ping, required=False))
    health.register(Dependency("events", publisher.check, required=False))

    model_files = ModelFileRoutes(settings, models)
    routes = [
        *PredictionRoutes(settings, models=models, workers=workers, service=service).routes(),
        *model_files.routes(),
        *ExplanationRoutes(settings, models=models, explainers=explainers, service=service).routes(),
        *OpenInferenceRoutes(settings, health=health, models=models, workers=workers, service=service).routes(),
    ]

    async def reload_models() -> None:
        with suppress(ModelRefused):  # logged and counted; nobody waits for an answer
            await models.reload()

    async def bound_the_drain() -> None:
        await health.draining.wait()
        publisher.leave_within(settings.longest_drain_seconds - ENDING_SECONDS)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with publisher, shadow, on_hangup(reload_models):
            drain = asyncio.create_task(bound_the_drain(), name="drain")
            yield
            drain.cancel()
        for threads in (workers, explainers, models, model_files):
            threads.close()
        await stream.close()

    return create_service(
        "inference",
        settings,
        lifespan=lifespan,
        health=health,
        registry=registry,
        routes=routes,
        error_response=error_response,
    )
