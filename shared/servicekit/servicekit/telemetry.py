"""OpenTelemetry, off by default: one span a request, exported as the OTEL_EXPORTER_OTLP_* variables say.

FastAPI makes and exports the spans; here they get a service's name and a route's, and the calls to other services go on
from them. Source: OpenTelemetry semantic conventions 1.44, HTTP server spans.
"""

from __future__ import annotations

from importlib.util import find_spec

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from starlette.types import Scope


def is_installed() -> bool:
    """Whether the extra ``opentelemetry`` is there."""
    return find_spec("opentelemetry.sdk") is not None and find_spec("opentelemetry.exporter") is not None


def telemetry_config(service: str, version: str, *, is_on: bool) -> TelemetryConfig:
    """What the application does for OpenTelemetry. Metrics and logs are ours in both cases."""
    if not is_on:
        return {"tracing": False, "metrics": False, "logs": False}
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    resource = Resource.create({"service.name": f"catnet-{service}", "service.version": version})
    return {
        "tracer_provider": TracerProvider(resource=resource, shutdown_on_exit=False),
        "tracing": True,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": True,
    }


def is_traced(scope: Scope) -> bool:
    return "fastapi.telemetry" in scope


def current_traceparent() -> str:
    """Names the span of the request that is being answered."""
    span = trace.get_current_span().get_span_context()
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def name_span(method: str, route: str) -> None:
    """Routes that are not FastAPI's own leave their span without a name."""
    span = trace.get_current_span()
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
