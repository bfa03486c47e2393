"""The gateway's own metrics; the HTTP ones come from servicekit."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

SHED_REASONS = (
    "queue_full",
    "queue_timeout",
    "too_slow",
    "inference_full",
    "memory_full",
    "streams_full",
    "downloads_queue_full",
    "downloads_queue_timeout",
    "rate_limited",
)


class GatewayMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.upstream_retries = Counter(
            "catnet_upstream_retries",
            "Calls sent a second time because the first found no connection, or one that closed instead of answering.",
            registry=registry,
        )
        self.circuit_state = Gauge(
            "catnet_circuit_state",
            "Whether a service is asked: 0 closed (it is), 1 half-open (one call at a time), 2 open (it is not).",
            ["target"],
            registry=registry,
        )
        self.requests_shed = Counter(
            "catnet_requests_shed",
            "Requests answered 429.",
            ["reason"],
            registry=registry,
        )
        self.requests_uncounted = Counter(
            "catnet_rate_limit_uncounted",
            "Requests let through by the rate limit because Redis did not answer.",
            registry=registry,
        )
        for reason in SHED_REASONS:
            self.requests_shed.labels(reason)
