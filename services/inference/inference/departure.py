"""What is not answered: a request whose client left before."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class _NoAnswer(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing: the connection is gone."""


async def leave_unanswered(request: Request, error: Exception) -> Response:
    """The handler of Interrupted; the request is counted as one whose client has closed it."""
    return _NoAnswer()
