"""Read a body, counted while it streams: its declared length is believed only when it is too large."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from inference.errors import BodyTooLarge, EmptyBody, IncompleteBody


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Raises: BodyTooLarge, EmptyBody, IncompleteBody if the client left."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise BodyTooLarge(max_bytes)
    chunks = []
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise BodyTooLarge(max_bytes)
            chunks.append(chunk)
    except ClientDisconnect:
        raise IncompleteBody from None
    if not received:
        raise EmptyBody
    return b"".join(chunks)
