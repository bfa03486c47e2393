"""Lead from an address with a slash at its end to the one without, on the host where the client found it.

Starlette's own redirect repeats the Host of the request, which whoever sends it chooses, and a scheme that is wrong
behind a proxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


class SlashRedirect:
    """An ASGI application for what none of the routes matches; what has no such address is for ``otherwise``."""

    def __init__(self, routes: Sequence[BaseRoute], otherwise: ASGIApp) -> None:
        self._routes = routes
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        if any(route.matches({**scope, "path": path})[0] is not Match.NONE for route in self._routes):
            query = scope["query_string"].decode("latin-1")
            location = quote(path) + ("?" + query if query else "")
            await Response(status_code=307, headers={"location": location})(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)
