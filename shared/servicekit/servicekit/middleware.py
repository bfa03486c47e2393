"""The one wrapper around every request: context in, headers out, measured, logged, every error answered."""

from __future__ import annotations

import asyncio
import time

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.access_log import AccessLog
from servicekit.health import Health
from servicekit.http_metrics import HttpMetrics
from servicekit.interruption import Interrupted
from servicekit.problems import ErrorResponse, Problem
from servicekit.request_context import begin_request
from servicekit.route_templates import RouteTemplates
from servicekit.telemetry import is_traced, name_span

_log = structlog.get_logger("requests")

CLIENT_CLOSED_REQUEST = 499
"""The status that is counted, and never sent, when the client left before its answer (nginx's convention)."""

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
_CLOSE = (b"connection", b"close")


class RequestMiddleware:
    """Pure ASGI, so that streaming answers pass through untouched."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: HttpMetrics,
        access_log: AccessLog,
        templates: RouteTemplates,
        health: Health,
        error_response: ErrorResponse,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._access_log = access_log
        self._templates = templates
        self._error_response = error_response
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        context = begin_request(scope)
        traced = is_traced(scope)
        own_headers = [(b"x-request-id", context.request_id.encode("latin-1")), _NO_SNIFFING]

        async def send_with_request_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if traced:
                    name_span(scope["method"], self._templates.of(scope))
                message["headers"] = headers = [*message["headers"], *own_headers]
                if self._health.draining.is_set():
                    headers.append(_CLOSE)
            await send(message)

        self._metrics.begin()
        try:
            await self._app(scope, receive, send_with_request_id)
        except asyncio.CancelledError:
            status = status or CLIENT_CLOSED_REQUEST
            raise
        except Interrupted:
            pass  # nobody is left to answer
        except Exception as error:
            if not isinstance(error, Problem):
                _log.exception("unhandled error", route=self._templates.of(scope))
            if status:
                raise  # the answer has begun: only a broken connection can still tell the client
            await self._answer_to(error, scope)(scope, receive, send_with_request_id)
        finally:
            seconds = time.perf_counter() - started
            route = self._templates.of(scope)
            self._metrics.end(route, scope["method"], status or CLIENT_CLOSED_REQUEST, seconds)
            self._access_log.log(context, scope["method"], route, status or CLIENT_CLOSED_REQUEST, seconds)

    def _answer_to(self, error: Exception, scope: Scope) -> Response:
        if isinstance(error, Problem):
            return self._error_response(scope, error.status, error.detail, error.headers)
        return self._error_response(
            scope, 500, "The service failed on this request; it is logged under its request id.", None
        )
