"""A body is counted while it streams, and a client that leaves is not an error of the service."""

from __future__ import annotations

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


async def test_parts_become_one_body() -> None:
    request, _ = request_of([part(b"ab"), part(b"cd"), part(b"", more=False)])
    assert await read_body(request.scope, request.receive, max_bytes=4) == b"abcd"


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
