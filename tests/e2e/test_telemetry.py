"""With telemetry on, one photo is one trace: the caller's, then a span of the gateway, then one of inference."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.pictures import photo
from tests.processes import run_catnet, wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    """Takes what an OpenTelemetry collector takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TakeSpans)
        self.spans: dict[str, list[Span]] = {}

    def has(self, service: str, name: str) -> bool:
        return any(span.name == name for span in self.spans.get(service, []))

    def span(self, service: str, name: str) -> Span:
        (span,) = (span for span in self.spans[service] if span.name == name)
        return span


class _TakeSpans(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            name = next(each.value.string_value for each in resource.resource.attributes if each.key == "service.name")
            for scope in resource.scope_spans:
                self.server.spans.setdefault(name, []).extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        serving = threading.Thread(target=collector.serve_forever)
        serving.start()
        yield collector
        collector.shutdown()
        serving.join()


def test_one_photo_is_one_trace(collector: Collector, tmp_path: Path) -> None:
    environment = {
        "TELEMETRY": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "NO_PROXY": "*",
    }
    with run_catnet(tmp_path, **environment) as catnet:
        response = httpx.post(
            f"{catnet.gateway_url}/predict",
            files={"file": ("cat.jpg", photo(), "image/jpeg")},
            headers={"traceparent": f"00-{TRACE}-{CALLER}-01"},
            trust_env=False,
            timeout=15,
        )
        assert response.status_code == 200
        for service in ("catnet-gateway", "catnet-inference"):
            wait_until(lambda service=service: collector.has(service, "POST /predict"), f"{service} exports its span")
        gateway = collector.span("catnet-gateway", "POST /predict")
        inference = collector.span("catnet-inference", "POST /predict")
    assert gateway.trace_id.hex() == inference.trace_id.hex() == TRACE
    assert gateway.parent_span_id.hex() == CALLER
    assert inference.parent_span_id == gateway.span_id
    said = {each.key: each.value.string_value or each.value.int_value for each in gateway.attributes}
    assert (said["http.route"], said["http.response.status_code"]) == ("/predict", 200)
    assert "client.address" not in said
