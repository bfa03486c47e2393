"""A client that leaves before its answer: what it asked for and is not begun yet is not done."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

UNWATCHED_SECONDS = 0.01
"""What is done by then was begun at once; a task beside it, to wait for a departure, would only cost."""


class ClientLeft(Exception):
    """Nobody is there to answer."""


class WhileConnected:
    """An async context manager that cuts off what awaits inside when the client closes its connection.

    To be entered once its body is read: what is received then can only be its departure.
    Raises: ClientLeft.
    """

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._watch: asyncio.Task[None] | None = None
        self._has_left = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - whoever awaits is a task
        self._task = task
        self._start = asyncio.get_running_loop().call_later(UNWATCHED_SECONDS, self._start_watch)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._start.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if self._has_left and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise ClientLeft from None

    def _start_watch(self) -> None:
        self._watch = asyncio.create_task(self._await_departure())

    async def _await_departure(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._has_left = True
        self._task.cancel()


class _NoAnswer(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing: the connection is gone."""


async def leave_unanswered(request: Request, error: Exception) -> Response:
    """The handler of ClientLeft; the request is counted as one whose client has closed it."""
    return _NoAnswer()
