"""Read a body, counted while it streams: its declared length is believed only when it is too large."""

from __future__ import annotations

from starlette.requests import Request

from inference.errors import BodyTooLarge, EmptyBody, IncompleteBody
from inference.request_header import request_header


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Raises: BodyTooLarge, EmptyBody, IncompleteBody if the client left."""
    declared = request_header(request, b"content-length")
    if declared and declared.isdigit() and int(declared) > max_bytes:
        raise BodyTooLarge(max_bytes)
    chunks: list[bytes] = []
    received = 0
    more_body = True
    while more_body:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise IncompleteBody
        chunk = message.get("body", b"")
        received += len(chunk)
        if received > max_bytes:
            raise BodyTooLarge(max_bytes)
        chunks.append(chunk)
        more_body = message.get("more_body", False)
    if not received:
        raise EmptyBody
    return b"".join(chunks)
