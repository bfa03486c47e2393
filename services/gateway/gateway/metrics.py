"""The gateway's own metrics; the HTTP ones come from servicekit."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class GatewayMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.upstream_retries = Counter(
            "catnet_upstream_retries",
            "Calls sent a second time because the first found no connection, or a kept-alive one that had just closed.",
            registry=registry,
        )
