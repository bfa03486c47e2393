"""One header of a request, at a third of what a mapping of all of them takes."""

from __future__ import annotations

from starlette.requests import Request


def request_header(request: Request, name: bytes) -> bytes | None:
    """The first header of this name, which is given in small letters."""
    for header, value in request.scope["headers"]:
        if header == name:
            found: bytes = value
            return found
    return None
