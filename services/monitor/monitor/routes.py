"""The monitor's own routes. Redis being away is a 503, and said so."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from monitor.live import EventStream, LiveReports
from monitor.report import BadQuery, Reports, find_window
from monitor.windows import DEFAULT_WINDOW, Window


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
    unknown = set(request.query_params) - {"window", "model"}
    if unknown:
        raise BadQuery("the parameters are window and model")
    return find_window(request.query_params.get("window", DEFAULT_WINDOW)), request.query_params.get("model")


ROUTES = [Route("/report", report), Route("/stream", stream)]
