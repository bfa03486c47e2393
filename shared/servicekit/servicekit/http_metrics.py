"""The HTTP metrics that every service has, and the route that shows them to Prometheus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from servicekit.plain_histogram import PlainHistogram

DURATION_BUCKETS_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""0.5 ms to 10 s; 50 ms, the latency objective, is an edge."""

_OPENMETRICS = "application/openmetrics-text"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics(Collector):
    """Counts and times requests by route template, never by path.

    Only the event loop's thread counts, so that no count needs a lock: those of the client library would cost as much
    as the rest of what is done around a request. The families are made when they are scraped.
    """

    def __init__(self, registry: CollectorRegistry, *, service: str, version: str, revision: str) -> None:
        self._service = service
        self._in_progress = 0
        self._requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._durations: defaultdict[tuple[str, str], PlainHistogram] = defaultdict(_durations)
        build_info = Gauge(
            "catnet_build_info", "Always 1; says what runs.", ["service", "version", "revision"], registry=registry
        )
        build_info.labels(service, version, revision).set(1)
        registry.register(self)

    def initialise(self, methods_by_route: Mapping[str, Iterable[str]]) -> None:
        """Show every route at 0, so that a rate over it exists before its first request."""
        for route, methods in methods_by_route.items():
            for method in methods:
                self._requests[route, method, 200] = 0
                self._durations[route, method] = _durations()

    def begin(self) -> None:
        self._in_progress += 1

    def end(self, route: str, method: str, status: int, seconds: float) -> None:
        self._in_progress -= 1
        if method not in _METHODS:
            method = "other"
        self._requests[route, method, status] += 1
        self._durations[route, method].observe(seconds)

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "catnet_http_requests", "Requests answered.", labels=["service", "route", "method", "code"]
        )
        for (route, method, status), count in [*self._requests.items()]:
            requests.add_metric([self._service, route, method, str(status)], count)
        yield requests
        durations = HistogramMetricFamily(
            "catnet_http_request_duration_seconds",
            "Time from the first byte of a request to the last byte of its answer.",
            labels=["service", "route", "method"],
        )
        for (route, method), of_route in [*self._durations.items()]:
            durations.add_metric([self._service, route, method], of_route.buckets(), of_route.sum)
        yield durations
        in_progress = GaugeMetricFamily(
            "catnet_http_requests_in_progress", "Requests being answered now.", labels=["service"]
        )
        in_progress.add_metric([self._service], self._in_progress)
        yield in_progress


def _durations() -> PlainHistogram:
    return PlainHistogram(DURATION_BUCKETS_SECONDS)


def metrics_route(registry: CollectorRegistry) -> Route:
    """``GET /metrics``, a plain route (no redirect)."""

    def metrics(request: Request) -> Response:
        # Of what a stranger sends the library sees one word: on a version that is no number it fails.
        encode, content_type = choose_encoder(_OPENMETRICS if _OPENMETRICS in request.headers.get("accept", "") else "")
        return Response(encode(registry), headers={"content-type": content_type})

    return Route("/metrics", metrics)
