"""Put the gateway together: the one place that knows every part."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from servicekit.application import create_service
from servicekit.direct_route import DirectRoute
from servicekit.health import Dependency, Health
from starlette.middleware import Middleware
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.admission import Admission
from gateway.api_keys import RequireApiKey
from gateway.circuit import Circuit
from gateway.feedback import Feedback
from gateway.health import HealthSummary, ReadinessProbe
from gateway.http_transport import HttpTransport
from gateway.identity import IdentifiedTransport, IdTokens
from gateway.inference_client import InferenceClient
from gateway.metrics import GatewayMetrics
from gateway.model_files import ModelFiles
from gateway.monitor_client import MonitorClient
from gateway.monitoring import Reports, ReportStream
from gateway.openapi import openapi_route
from gateway.pages import Pages
from gateway.photos import PhotoEndpoint
from gateway.result_page import ResultPage
from gateway.settings import GatewaySettings
from gateway.transport import Transport
from gateway.upload_memory import UploadMemory
from gateway.upstream import Upstream

_PROBE_CONNECTIONS = 8
_MODELS_CONNECTIONS = 8
_METADATA_CONNECTIONS = 2  # one for each service's token
_DOWNLOADS = 8
_REPORT_CONNECTIONS = 32


def create_app(settings: GatewaySettings) -> FastAPI:
    """Raises: PagesMissing."""
    registry = CollectorRegistry()
    metrics = GatewayMetrics(registry)
    health = Health()
    release = version("catnet-gateway")
    inference_url, monitor_url = str(settings.inference_url), str(settings.monitor_url)

    # Connections for each purpose: neither many dashboards nor many photos can starve the other, or the probes.
    # Who was let in finds a connection: the waiting is done at the door. Reports and feedback find theirs however many
    # event streams are open.
    to_inference = HttpTransport(
        inference_url,
        connections=settings.max_in_flight + settings.max_explanations + _MODELS_CONNECTIONS + _DOWNLOADS,
    )
    to_monitor = HttpTransport(monitor_url, connections=settings.monitor_connections + _REPORT_CONNECTIONS)
    probing_inference = HttpTransport(inference_url, connections=_PROBE_CONNECTIONS)
    probing_monitor = HttpTransport(monitor_url, connections=_PROBE_CONNECTIONS)
    to_metadata = (
        HttpTransport(str(settings.metadata_url), connections=_METADATA_CONNECTIONS) if settings.metadata_url else None
    )
    tokens = {url: IdTokens(url, to_metadata) for url in (inference_url, monitor_url)} if to_metadata else {}

    def identified(transport: Transport, service_url: str) -> Transport:
        return IdentifiedTransport(transport, tokens[service_url]) if tokens else transport

    def upstream(name: str, transport: Transport) -> Upstream:
        circuit = Circuit(name, metrics.circuit_state.labels(name))
        return Upstream(name, transport, circuit=circuit, retries=metrics.upstream_retries)

    inference = InferenceClient(upstream("inference", identified(to_inference, inference_url)))
    monitor = MonitorClient(upstream("monitor", identified(to_monitor, monitor_url)))
    inference_probe = ReadinessProbe(
        identified(probing_inference, inference_url), timeout_seconds=settings.health_timeout_seconds
    )
    monitor_probe = ReadinessProbe(
        identified(probing_monitor, monitor_url), timeout_seconds=settings.health_timeout_seconds
    )

    health.register(
        Dependency("inference", inference_probe.ping, timeout_seconds=settings.health_timeout_seconds + 0.1)
    )
    memory = UploadMemory(limit_bytes=settings.max_uploads_bytes, shed=metrics.requests_shed)
    predict = PhotoEndpoint(
        inference.predict,
        query=("model",),
        admission=Admission(
            in_flight=settings.max_in_flight,
            queue=settings.max_queue,
            queue_seconds=settings.max_queue_seconds,
            expected_seconds=settings.max_expected_seconds,
            shed=metrics.requests_shed,
        ),
        memory=memory,
        circuit=inference.circuit,
        settings=settings,
    )
    explain = PhotoEndpoint(
        inference.explain,
        query=("model", "method"),
        admission=Admission(
            in_flight=settings.max_explanations,
            queue=settings.max_explanations,
            queue_seconds=settings.max_queue_seconds,
            expected_seconds=settings.request_timeout_seconds,
            shed=metrics.requests_shed,
        ),
        memory=memory,
        circuit=inference.circuit,
        settings=settings,
    )
    model_files = ModelFiles(
        inference,
        admission=Admission(
            in_flight=_DOWNLOADS,
            queue=_DOWNLOADS,
            queue_seconds=settings.max_queue_seconds,
            expected_seconds=math.inf,  # how long a download takes is the client's to say
            shed=metrics.requests_shed,
            of="downloads_",
        ),
        timeout_seconds=settings.request_timeout_seconds,
        needs_key=bool(settings.api_keys),
    )
    feedback = Feedback(monitor, timeout_seconds=settings.request_timeout_seconds)
    reports = Reports(inference, monitor, timeout_seconds=settings.request_timeout_seconds)
    stream = ReportStream(
        monitor,
        health,
        most=settings.monitor_connections,
        shed=metrics.requests_shed,
        timeout_seconds=settings.request_timeout_seconds,
    )

    # Who may come in, and how often, is asked only where that is switched on.
    guards: list[Middleware] = []
    on_exit: list[Callable[[], Awaitable[None]]] = []
    if settings.api_keys:
        guards.append(Middleware(RequireApiKey, [key.get_secret_value() for key in settings.api_keys]))
    if settings.rate_limit_per_minute:
        from gateway.rate_limit import LimitRate, RateLimit  # the client of Redis takes memory

        limit = RateLimit(
            settings.redis_url,
            per_minute=settings.rate_limit_per_minute,
            burst=settings.rate_limit_burst,
            uncounted=metrics.requests_uncounted,
        )
        guards.append(Middleware(LimitRate, limit, metrics.requests_shed))
        on_exit.append(limit.close)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with to_inference, to_monitor, probing_inference, probing_monitor, AsyncExitStack() as stack:
            if to_metadata:
                await stack.enter_async_context(to_metadata)
            for of_service in tokens.values():
                await stack.enter_async_context(of_service)
            for close in on_exit:
                stack.push_async_callback(close)
            yield

    app = create_service(
        "gateway",
        settings,
        lifespan=lifespan,
        health=health,
        registry=registry,
        routes=[
            DirectRoute("/predict", predict, method="POST", middleware=[Middleware(ResultPage), *guards]),
            DirectRoute("/explain", explain, method="POST", middleware=guards),
            Route("/api/feedback", feedback, methods=["POST"], middleware=guards),
            Route("/api/models", reports.models, middleware=guards),
            Route("/api/models/{name}/{version}/{file}", model_files, methods=["GET"], middleware=guards),
            Route("/api/monitor/report", reports.report, middleware=guards),
            Route("/api/monitor/stream", stream, methods=["GET"], middleware=guards),
            Route("/health", HealthSummary(inference_probe, monitor_probe, version=release).show),
            openapi_route(
                version=release, needs_key=bool(settings.api_keys), max_upload_bytes=settings.max_upload_bytes
            ),
            *Pages(settings.frontend_dir).routes(),
        ],
    )
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[str(proxy) for proxy in settings.trusted_proxies])
    return app
