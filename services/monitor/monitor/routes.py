"""The monitor's own routes. Redis being away is a 503, and said so."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from monitor.feedback import MAX_BODY_BYTES, BadFeedback, Feedback, FeedbackDesk
from monitor.live import EventStream, LiveReports
from monitor.report import BadQuery, Reports, find_window
from monitor.windows import DEFAULT_WINDOW, Window

BODY_SECONDS = 5.0
"""How long a small body may take to arrive."""


async def report(request: Request) -> Response:
    """``GET /report?window=15m|1h|24h|7d&model=name[/version]``"""
    window, model = _query(request)
    reports: Reports = request.app.state.reports
    return JSONResponse(
        await reports.build(window, await reports.manifest(model)), headers={"cache-control": "no-store"}
    )


async def stream(request: Request) -> ASGIApp:
    """``GET /stream``, the same query: the report as server-sent events."""
    window, model = _query(request)
    reports: Reports = request.app.state.reports
    live: LiveReports = request.app.state.live
    await reports.manifest(model)  # an unknown model is refused before the stream begins
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return EventStream(live, request.app.state.health.draining, window, model)


def _query(request: Request) -> tuple[Window, str | None]:
    names = [name for name, _ in request.query_params.multi_items()]
    if set(names) - {"window", "model"} or len(names) > len(set(names)):
        raise BadQuery("the parameters are window and model, each at most once")
    return find_window(request.query_params.get("window", DEFAULT_WINDOW)), request.query_params.get("model")


async def feedback(request: Request) -> Response:
    """``POST /feedback`` with {"prediction_id": UUID, "label": "cat" or "non-cat"}: what the photo really showed."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise BadFeedback("the body is too long", status=413)
    except TimeoutError:
        raise BadFeedback("the body did not arrive in time", status=408) from None
    desk: FeedbackDesk = request.app.state.feedback
    return JSONResponse(await desk.take(Feedback.from_json(bytes(body))))


ROUTES = [Route("/report", report), Route("/stream", stream), Route("/feedback", feedback, methods=["POST"])]
