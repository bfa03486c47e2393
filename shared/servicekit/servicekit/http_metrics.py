"""The HTTP metrics that every service has, and the route that shows them to Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

DURATION_BUCKETS_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""0.5 ms to 10 s; 50 ms, the latency objective, is an edge."""

_Recorder = tuple[Callable[[], None], Callable[[float], None]]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """Counts and times requests by route template, never by path."""

    def __init__(self, registry: CollectorRegistry, *, service: str, version: str, revision: str) -> None:
        self._service = service
        self._requests = Counter(
            "catnet_http_requests",
            "Requests answered.",
            ["service", "route", "method", "code"],
            registry=registry,
        )
        self._durations = Histogram(
            "catnet_http_request_duration_seconds",
            "Time from the first byte of a request to the last byte of its answer.",
            ["service", "route", "method"],
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self._in_progress = Gauge(
            "catnet_http_requests_in_progress", "Requests being answered now.", ["service"], registry=registry
        ).labels(service)
        self._recorders: dict[tuple[str, str, int], _Recorder] = {}
        build_info = Gauge(
            "catnet_build_info", "Always 1; says what runs.", ["service", "version", "revision"], registry=registry
        )
        build_info.labels(service, version, revision).set(1)

    def initialise(self, methods_by_route: Mapping[str, Iterable[str]]) -> None:
        """Show every route at 0, so that a rate over it exists before its first request."""
        for route, methods in methods_by_route.items():
            for method in methods:
                self._requests.labels(self._service, route, method, "200")
                self._durations.labels(self._service, route, method)

    def begin(self) -> None:
        self._in_progress.inc()

    def end(self, route: str, method: str, status: int, seconds: float) -> None:
        self._in_progress.dec()
        if method not in _METHODS:
            method = "other"
        count, observe = self._recorders.get((route, method, status)) or self._recorder(route, method, status)
        count()
        observe(seconds)

    def _recorder(self, route: str, method: str, status: int) -> _Recorder:
        """Finding a metric by its labels costs more than counting: it is done once for each set of them."""
        recorder = (
            self._requests.labels(self._service, route, method, str(status)).inc,
            self._durations.labels(self._service, route, method).observe,
        )
        self._recorders[route, method, status] = recorder
        return recorder


def metrics_route(registry: CollectorRegistry) -> Route:
    """``GET /metrics``, a plain route (no redirect)."""

    def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return Route("/metrics", metrics)
