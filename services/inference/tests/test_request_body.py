"""A body is counted while it streams, and a client that leaves is not an error of the service."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import pytest
from inference.errors import BodyTooLarge, IncompleteBody
from inference.request_body import read_body
from starlette.requests import Request
from starlette.types import Message

pytestmark = pytest.mark.anyio


def request_of(
    messages: Iterable[Message], headers: list[tuple[bytes, bytes]] | None = None
) -> tuple[Request, list[Message]]:
    """A request and the list of the messages that are not yet received."""
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers or []}, receive), waiting


def part(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize("declared", [None, b"4", b"3", b"5", b"many"])
async def test_parts_become_one_body(declared: bytes | None) -> None:
    headers = [] if declared is None else [(b"content-length", declared)]
    request, _ = request_of([part(b"ab"), part(b"cd"), part(b"", more=False)], headers)
    assert await read_body(request.scope, request.receive, max_bytes=5) == b"abcd"


async def test_a_body_in_parts_is_held_once() -> None:
    piece_bytes, pieces = 2**18, 40
    messages = (part(bytes(piece_bytes), more=number < pieces) for number in range(1, pieces + 1))

    async def receive() -> Message:
        return next(messages)

    whole_bytes = piece_bytes * pieces
    headers = [(b"content-length", str(whole_bytes).encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    tracemalloc.start()
    try:
        assert len(await read_body(request.scope, request.receive, max_bytes=whole_bytes)) == whole_bytes
        assert tracemalloc.get_traced_memory()[1] < whole_bytes + 4 * piece_bytes
    finally:
        tracemalloc.stop()


async def test_reading_stops_at_the_first_part_over_the_limit() -> None:
    request, waiting = request_of([part(b"ab"), part(b"cd"), part(b"ef"), part(b"gh", more=False)])
    with pytest.raises(BodyTooLarge):
        await read_body(request.scope, request.receive, max_bytes=3)
    assert len(waiting) == 2


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    request, waiting = request_of([part(b"ab", more=False)], [(b"content-length", b"4")])
    with pytest.raises(BodyTooLarge):
        await read_body(request.scope, request.receive, max_bytes=3)
    assert len(waiting) == 1


async def test_a_client_that_leaves_is_a_400() -> None:
    request, _ = request_of([part(b"ab"), {"type": "http.disconnect"}])
    with pytest.raises(IncompleteBody):
        await read_body(request.scope, request.receive, max_bytes=10)
