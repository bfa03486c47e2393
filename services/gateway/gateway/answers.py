"""Pass an upstream's answer on to the client, as it is."""

from __future__ import annotations

import json

from servicekit.problems import MEDIA_TYPE as PROBLEM
from starlette.responses import Response
from starlette.types import Scope

from gateway.transport import Answer

_PASSED_ON = ("content-type", "retry-after")


def pass_on(answer: Answer, scope: Scope) -> Response:
    headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    headers["cache-control"] = "no-store"
    body = _at_this_address(answer.body, scope) if headers["content-type"] == PROBLEM else answer.body
    return Response(body, answer.status, headers)


def _at_this_address(body: bytes, scope: Scope) -> bytes:
    """A problem's ``instance`` is the address that the client asked, not the one that the gateway did."""
    return json.dumps(json.loads(body) | {"instance": scope["path"]}).encode()
