"""Put one service's application together: the parts that all three have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute, Mount, Route

from servicekit.access_log import AccessLog
from servicekit.health import Health
from servicekit.http_metrics import HttpMetrics, metrics_route
from servicekit.logs import DroppedLines
from servicekit.middleware import RequestMiddleware
from servicekit.problems import ErrorResponse, install_problem_handlers, problem_response
from servicekit.route_templates import RouteTemplates
from servicekit.service import Service
from servicekit.settings import ServiceSettings
from servicekit.slash_redirect import SlashRedirect
from servicekit.telemetry import telemetry_config

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_service(
    service: str,
    settings: ServiceSettings,
    *,
    lifespan: Lifespan,
    health: Health,
    registry: CollectorRegistry,
    routes: Sequence[BaseRoute],
    error_response: ErrorResponse = problem_response,
) -> FastAPI:
    """An application with problem bodies, request context, HTTP metrics, health and ``/metrics``.

    ``app.state.health`` is the given health, where the server finds it to begin a drain.
    """
    release = version(f"catnet-{service}")
    app = Service(
        takes_direct_way=not settings.telemetry,
        title=f"catnet {service}",
        version=release,
        lifespan=lifespan,
        routes=[*routes, *health.routes(), metrics_route(registry)],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=telemetry_config(service, release, is_on=settings.telemetry),
    )
    _end_where_addresses_end(app.routes)
    app.router.default = SlashRedirect(app.routes, otherwise=app.router.default)
    app.state.health = health
    metrics = HttpMetrics(registry, service=service, version=release, revision=settings.revision)
    templates = RouteTemplates(app.routes)
    metrics.initialise(templates.methods)
    registry.register(DroppedLines(service))
    app.add_middleware(
        RequestMiddleware,
        metrics=metrics,
        access_log=AccessLog(service, settings.log_format),
        templates=templates,
        health=health,
        error_response=error_response,
    )
    install_problem_handlers(app, error_response)
    return app


def _end_where_addresses_end(routes: Sequence[BaseRoute]) -> None:
    """Starlette's patterns end with ``$``, which a line feed may follow."""
    for route in routes:
        if isinstance(route, Route | Mount):
            route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
