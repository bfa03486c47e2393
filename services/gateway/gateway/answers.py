"""Pass an upstream's answer on to the client, as it is."""

from __future__ import annotations

import json

from servicekit.problems import MEDIA_TYPE as PROBLEM
from starlette.types import Receive, Scope, Send

from gateway.transport import Answer

_PROBLEM = PROBLEM.encode()


async def pass_on(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI application, but for the answer in front: a Response would cost more than all else here."""
    content_type = answer.headers[b"content-type"]
    body = _at_this_address(answer.body, scope) if content_type == _PROBLEM else answer.body
    headers = [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    if b"retry-after" in answer.headers:
        headers.append((b"retry-after", answer.headers[b"retry-after"]))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _at_this_address(body: bytes, scope: Scope) -> bytes:
    """A problem's ``instance`` is the address that the client asked, not the one that the gateway did."""
    return json.dumps(json.loads(body) | {"instance": scope["path"]}).encode()
