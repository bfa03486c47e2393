"""Which route a request matched, as its path template: the only form of an address that metrics and logs may hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

UNMATCHED = "unmatched"
"""The template of requests to addresses that do not exist, so that strangers cannot add label values."""

_NO_PARAMETERS: frozenset[str] = frozenset()


class RouteTemplates:
    """Find the template by the matched endpoint: FastAPI notes the route itself only for its own kind of route.

    Two routes may share an endpoint where their parameters differ.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._templates: dict[tuple[Any, frozenset[str]], str] = {}
        self.methods: dict[str, frozenset[str]] = {}
        for route in routes:
            if isinstance(route, Mount):
                self._templates[route.app, frozenset()] = route.path
                self.methods[route.path] = frozenset({"GET"})
            elif isinstance(route, Route):
                self._templates[route.endpoint, frozenset(route.param_convertors)] = route.path
                self.methods[route.path] = frozenset(route.methods or {"GET"})

    def of(self, scope: Scope) -> str:
        parameters = scope.get("path_params")
        key = scope.get("endpoint"), frozenset(parameters) if parameters else _NO_PARAMETERS
        return self._templates.get(key, UNMATCHED)
