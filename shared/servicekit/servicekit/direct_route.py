"""The routes of the endpoints that most requests ask for."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp


class DirectRoute(Route):
    """A fixed address of an ASGI endpoint: requests of exactly this method and path are given to it at once.

    What else comes to that address (another method, a slash more) is the application's, which has this route too.
    """

    def __init__(self, path: str, endpoint: ASGIApp, *, method: str, middleware: Sequence[Middleware] = ()) -> None:
        super().__init__(path, endpoint, methods=[method])
        self.method = method
        self.app = endpoint  # Starlette takes a function for one from a request to its answer
        for wrapper, arguments, options in reversed(middleware):
            self.app = wrapper(self.app, *arguments, **options)
