"""HTTP/1.1 as uvicorn speaks it on httptools, with two ways more between an application and its client's connection:
to break it off where the client takes nothing, and to be told at once when it is lost.

ASGI has no message for the first: an answer that is not finished can only wait for the client, with all that it has not
taken. For the second it has one that must be waited for, by a task beside each request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "catnet.connection"


class AbortableHttpProtocol(HttpToolsProtocol):
    """Offers itself to the application, as an extension in the scope of each request."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.loss_watchers: set[Callable[[], None]] = set()
        self.is_lost = False

    def watch_loss(self, watcher: Callable[[], None]) -> None:
        """Have ``watcher`` called once the connection is lost, and soon if it is."""
        if self.is_lost:
            self.loop.call_soon(watcher)
        else:
            self.loss_watchers.add(watcher)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.is_lost = True
        for watcher in [*self.loss_watchers]:
            watcher()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(Scope, self.scope)["extensions"] = {_EXTENSION: self}

    def abort(self) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True  # what the transport tells uvicorn a moment later
        self.transport.abort()


def connection_of(scope: Scope) -> AbortableHttpProtocol | None:
    """The connection that a request came on; None where the server does not tell."""
    connection: AbortableHttpProtocol | None = scope.get("extensions", {}).get(_EXTENSION)
    return connection


def abort(scope: Scope) -> None:
    """Break off the connection of a request, where the server can: what was not taken is dropped."""
    if connection := connection_of(scope):
        connection.abort()
