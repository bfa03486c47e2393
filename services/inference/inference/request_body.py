"""Read a body, counted while it streams: its declared length is believed only when it is too large."""

from __future__ import annotations

from starlette.types import Receive, Scope

from inference.errors import BodyTooLarge, EmptyBody, IncompleteBody


async def read_body(scope: Scope, receive: Receive, *, max_bytes: int) -> bytes:
    """Raises: BodyTooLarge, EmptyBody, IncompleteBody if the client left."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > max_bytes:
            raise BodyTooLarge(max_bytes)
    pieces: list[bytes] = []
    received = 0
    more_body = True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise IncompleteBody
        piece = message.get("body", b"")
        received += len(piece)
        if received > max_bytes:
            raise BodyTooLarge(max_bytes)
        pieces.append(piece)
        more_body = message.get("more_body", False)
    if not received:
        raise EmptyBody
    return b"".join(pieces)  # one piece is given back as it is
