"""One line a request: what was asked, what was answered, how long it took. No address, no query, no body."""

from __future__ import annotations

import structlog
from starlette.types import Scope

from servicekit.request_context import request_context

_QUIET_ROUTES = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Asked every few seconds by probes and scrapers: logged at debug level while they succeed."""

_log = structlog.get_logger("access")


def log_request(scope: Scope, route: str, status: int, seconds: float) -> None:
    context = request_context(scope)
    log = _log.debug if route in _QUIET_ROUTES and status < 400 else _log.info
    log(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 3),
        request_id=context.request_id,
        trace_id=context.trace_id,
    )
