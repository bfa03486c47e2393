"""JSON as it is answered here: compact, and never with a number that is not JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Send

to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def json_response(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(to_json(body), status, media_type="application/json")


async def send_json(send: Send, body: Mapping[str, object]) -> None:
    """Answer 200 at once: making a response of it first would cost as much as the rest of the answer."""
    content = to_json(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
