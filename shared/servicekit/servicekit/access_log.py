"""One line a request: what was asked, what was answered, how long it took. No address, no query, no body.

The line is written here and not by structlog, whose way to the same line costs a small answer a quarter of its time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic_core import to_json

from servicekit.logs import LogStyle, write_line
from servicekit.request_context import RequestContext

_QUIET_ROUTES = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Asked every few seconds by probes and scrapers: logged at debug level while they succeed."""

_NAME = "access"
_EVENT = "request"


class AccessLog:
    def __init__(self, service: str, style: LogStyle) -> None:
        self._service = service
        self._line = _json_line if style == "json" else _text_line
        self._is_logged = logging.getLogger(_NAME).isEnabledFor

    def log(self, context: RequestContext, method: str, route: str, status: int, seconds: float) -> None:
        is_quiet = route in _QUIET_ROUTES and status < 400
        if not self._is_logged(logging.DEBUG if is_quiet else logging.INFO):
            return
        fields = {
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "request_id": context.request_id,
            "trace_id": context.trace_id,
            "service": self._service,
        }
        time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        write_line(self._line(time, "debug" if is_quiet else "info", fields))


def _json_line(time: str, level: str, fields: Mapping[str, object]) -> str:
    return to_json({**fields, "event": _EVENT, "level": level, "logger": _NAME, "timestamp": time}).decode()


def _text_line(time: str, level: str, fields: Mapping[str, object]) -> str:
    words = " ".join([f"{name}={value}" for name, value in fields.items()])
    return f"{time} [{level:<9}] {_EVENT:<30} [{_NAME}] {words}"
