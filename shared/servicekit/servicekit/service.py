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
        self._direct_ways = {(route.method, route.path): (route.endpoint, route.app) for route in routes}

    def build_middleware_stack(self) -> ASGIApp:
        for key, (endpoint, way) in self._direct_ways.items():
            for middleware, arguments, options in reversed(self.user_middleware):
                way = middleware(way, *arguments, **options)
            self._direct_ways[key] = endpoint, way
        return super().build_middleware_stack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self._direct_ways:
            if self.middleware_stack is None:
                self.middleware_stack = self.build_middleware_stack()
            scope["endpoint"], way = self._direct_ways[scope["method"], scope["path"]]  # noted as the router does
            await way(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
