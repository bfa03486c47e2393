"""Read a body, counted while it streams: its declared length is believed where it is too large, and gets room."""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO

from starlette.types import Receive, Scope

from inference.errors import BodyTooLarge, EmptyBody, IncompleteBody, UnsupportedEncoding

_AS_IT_IS = ("identity",)


async def read_body(scope: Scope, receive: Receive, *, max_bytes: int, encodings: Collection[str] = _AS_IT_IS) -> bytes:
    """The bytes as they came; ``encodings`` are the values of Content-Encoding that may be on them.

    Raises: UnsupportedEncoding, BodyTooLarge, EmptyBody, IncompleteBody if the client left.
    """
    declared_bytes = _declared_bytes(scope, encodings)
    if declared_bytes > max_bytes:
        raise BodyTooLarge(max_bytes)
    body, more_body = await _next_piece(receive)
    if len(body) > max_bytes:
        raise BodyTooLarge(max_bytes)
    if more_body:
        body = await _with_the_rest(body, receive, room_bytes=declared_bytes, max_bytes=max_bytes)
    if not body:
        raise EmptyBody
    return body


async def _with_the_rest(beginning: bytes, receive: Receive, *, room_bytes: int, max_bytes: int) -> bytes:
    """Raises: BodyTooLarge, IncompleteBody."""
    body = BytesIO()
    # Its room at once: pieces that are kept, and a block that grows, leave holes in the memory of the process.
    body.seek(room_bytes)
    body.write(b"\0")
    body.seek(0)
    body.write(beginning)
    more_body = True
    while more_body:
        piece, more_body = await _next_piece(receive)
        if body.tell() + len(piece) > max_bytes:
            raise BodyTooLarge(max_bytes)
        body.write(piece)
    body.truncate()
    return body.getvalue()


async def _next_piece(receive: Receive) -> tuple[bytes, bool]:
    """Returns: a piece, and whether more is to come. Raises: IncompleteBody."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise IncompleteBody
    return message.get("body", b""), message.get("more_body", False)


def _declared_bytes(scope: Scope, encodings: Collection[str]) -> int:
    """0: not known before the end. Raises: UnsupportedEncoding."""
    declared_bytes = 0
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            declared_bytes = int(value)
        elif name == b"content-encoding" and value.decode("latin-1").lower() not in encodings:
            raise UnsupportedEncoding(encodings)
    return declared_bytes
