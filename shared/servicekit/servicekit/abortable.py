"""HTTP/1.1 as uvicorn speaks it on httptools, with a way to break off a connection whose client takes nothing.

ASGI has no message for that: an answer that is not finished can only wait for the client, with all that it has
not taken.
"""

from __future__ import annotations

from typing import cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "catnet.abort"


class AbortableHttpProtocol(HttpToolsProtocol):
    """Offers ``abort`` to the application, as an extension in the scope of each request."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope = cast(Scope, self.scope)
        scope["extensions"] = {**scope.get("extensions", {}), _EXTENSION: self._abort}

    def _abort(self) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True  # what the transport tells uvicorn a moment later
        self.transport.abort()


def abort(scope: Scope) -> None:
    """Break off the connection of a request, where the server can: what was not taken is dropped."""
    if break_off := scope.get("extensions", {}).get(_EXTENSION):
        break_off()
