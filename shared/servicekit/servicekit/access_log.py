"""One line a request: what was asked, what was answered, how long it took. No address, no query, no body."""

from __future__ import annotations

import logging

import structlog

from servicekit.request_context import RequestContext

_QUIET_ROUTES = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Asked every few seconds by probes and scrapers: logged at debug level while they succeed."""

_log = structlog.get_logger("access")
_is_logged = logging.getLogger("access").isEnabledFor
"""The cheapest way to ask: where lines are not wanted, a request should not pay for one."""


def log_request(context: RequestContext, method: str, route: str, status: int, seconds: float) -> None:
    level = logging.DEBUG if route in _QUIET_ROUTES and status < 400 else logging.INFO
    if not _is_logged(level):
        return
    _log.log(
        level,
        "request",
        method=method,
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 3),
        request_id=context.request_id,
        trace_id=context.trace_id,
    )
