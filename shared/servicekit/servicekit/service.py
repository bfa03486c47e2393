"""The application of a service: FastAPI, and a shorter way to the endpoints that most requests ask for."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.direct_route import DirectRoute


class Service(FastAPI):
    """Requests for a DirectRoute take the service's own middleware, and none of the frameworks' layers.

    Where their spans are exported, these are needed too, and all requests take the long way.
    """

    def __init__(self, *, takes_direct_way: bool, **options: Any) -> None:
        super().__init__(**options)
        routes = [route for route in self.routes if isinstance(route, DirectRoute)] if takes_direct_way else []
        self._direct_routes = {(route.method, route.path): route for route in routes}
        self._direct_way: ASGIApp = self._call_endpoint

    def build_middleware_stack(self) -> ASGIApp:
        for middleware, arguments, options in reversed(self.user_middleware):
            self._direct_way = middleware(self._direct_way, *arguments, **options)
        return super().build_middleware_stack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self._direct_routes:
            if self.middleware_stack is None:
                self.middleware_stack = self.build_middleware_stack()
            await self._direct_way(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _call_endpoint(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._direct_routes[scope["method"], scope["path"]]
        scope["endpoint"] = route.endpoint  # as the router notes it
        await route.app(scope, receive, send)
