"""``/api/models`` and ``/api/monitor/*``: what the services say about themselves, passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from prometheus_client import Counter
from servicekit.health import Health
from servicekit.interruption import Interrupted, client_left, interrupted_by
from servicekit.request_context import request_context
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.answers import pass_on
from gateway.errors import AnsweredInstead, TooMuchToDo
from gateway.inference_client import InferenceClient
from gateway.monitor_client import MonitorClient
from gateway.transport import AnswerStream

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in front would hold events back
]


class Reports:
    """Endpoints whose answers are one JSON document."""

    def __init__(self, inference: InferenceClient, monitor: MonitorClient, *, timeout_seconds: float) -> None:
        self._inference = inference
        self._monitor = monitor
        self._timeout_seconds = timeout_seconds

    async def models(self, request: Request) -> ASGIApp:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        answer = await self._inference.models(context=request_context(request.scope), deadline=deadline)
        return partial(pass_on, answer)

    async def report(self, request: Request) -> ASGIApp:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        context = request_context(request.scope)
        answer = await self._monitor.report(request.query_params, context=context, deadline=deadline)
        return partial(pass_on, answer)


class ReportStream:
    """Server-sent events, passed on as they come until the monitor, the client or this process ends them.

    Each end is a clean one, so that the browser's EventSource connects again.
    ``most``: at once. ``shed`` counts the others, which are refused.
    """

    def __init__(
        self, monitor: MonitorClient, health: Health, *, most: int, shed: Counter, timeout_seconds: float
    ) -> None:
        self._monitor = monitor
        self._health = health
        self._most = most
        self._open = 0
        self._shed = shed.labels("streams_full")
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        answer = self._monitor.stream(
            QueryParams(scope["query_string"]),
            last_event_id=Headers(scope=scope).get("last-event-id"),
            context=request_context(scope),
            deadline=deadline,
        )
        try:
            with self._place():
                async with interrupted_by(client_left(receive)), answer as events:
                    await self._pass_on(events, scope, send)
        except Interrupted:
            return  # the client left
        except AnsweredInstead as refusal:
            await pass_on(refusal.answer, scope, receive, send)
        else:
            await send({"type": "http.response.body"})

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Nobody waits for one: when a stream ends is its client's to say. Raises: TooMuchToDo."""
        if self._open == self._most:
            self._shed.inc()
            raise TooMuchToDo("There are too many event streams right now. Ask for the report instead.")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def _pass_on(self, events: AnswerStream, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        if scope["method"] == "GET":
            with suppress(Interrupted):
                async with interrupted_by(self._health.draining.wait):
                    async for chunk in events.chunks:
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
