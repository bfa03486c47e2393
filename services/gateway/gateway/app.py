"""Put the gateway together: the one place that knows every part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from servicekit.application import create_service
from servicekit.health import Dependency, Health
from starlette.routing import Route
from yarl import URL

from gateway.health import HealthSummary, ReadinessProbe
from gateway.inference_client import InferenceClient
from gateway.metrics import GatewayMetrics
from gateway.monitor_client import MonitorClient
from gateway.monitoring import Reports, ReportStream
from gateway.openapi import openapi_route
from gateway.pages import Pages
from gateway.predictions import Predict
from gateway.settings import Settings
from gateway.transport import HttpTransport
from gateway.upstream import Upstream

_PROBE_CONNECTIONS = 8


def create_app(settings: Settings) -> FastAPI:
    """Raises: PagesMissing."""
    registry = CollectorRegistry()
    retries = GatewayMetrics(registry).upstream_retries
    health = Health()
    release = version("catnet-gateway")
    inference_url, monitor_url = URL(str(settings.inference_url)), URL(str(settings.monitor_url))

    # Connections for each purpose: neither many dashboards nor many photos can starve the other, or the probes.
    to_inference = HttpTransport(connections=settings.inference_connections)
    to_monitor = HttpTransport(connections=settings.monitor_connections)
    to_health = HttpTransport(connections=_PROBE_CONNECTIONS)
    inference = InferenceClient(inference_url, Upstream("inference", to_inference, retries=retries))
    monitor = MonitorClient(monitor_url, Upstream("monitor", to_monitor, retries=retries))
    inference_probe = ReadinessProbe(inference_url, to_health, timeout_seconds=settings.health_timeout_seconds)
    monitor_probe = ReadinessProbe(monitor_url, to_health, timeout_seconds=settings.health_timeout_seconds)

    health.register(
        Dependency("inference", inference_probe.ping, timeout_seconds=settings.health_timeout_seconds + 0.1)
    )
    reports = Reports(inference, monitor, timeout_seconds=settings.request_timeout_seconds)
    stream = ReportStream(monitor, health, timeout_seconds=settings.request_timeout_seconds)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with to_inference, to_monitor, to_health:
            yield

    return create_service(
        "gateway",
        settings,
        lifespan=lifespan,
        health=health,
        registry=registry,
        routes=[
            Route("/predict", Predict(settings, inference), methods=["POST"]),
            Route("/api/models", reports.models),
            Route("/api/monitor/report", reports.report),
            Route("/api/monitor/stream", stream, methods=["GET"]),
            Route("/health", HealthSummary(inference_probe, monitor_probe, version=release).show),
            openapi_route(version=release),
            *Pages(settings.frontend_dir).routes(),
        ],
    )
