"""Take a request's body as it arrives, or refuse it so that its sender learns why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from servicekit.interruption import interrupted_at
from servicekit.problems import Problem, problem_response
from starlette.types import Receive, Scope, Send

from gateway.errors import ClientLeft, TryLater, UploadTooLarge, UploadTooSlow

MAX_DISCARDED_BYTES = 64 * 1024 * 1024
"""How much more of a refused body is read, so that its sender gets to see the answer."""
LINGER_SECONDS = 1.0
"""How long it is read on at least, also when its deadline has passed."""


class RequestBody:
    """A request's body as it arrives: counted, limited, and aware of whether it has been read to its end."""

    def __init__(
        self, scope: Scope, receive: Receive, *, limit_bytes: int, take: Callable[[int], None] | None = None
    ) -> None:
        """``take`` is told how long each piece is before it is kept, and may refuse it."""
        fields: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        self.fields = fields
        """The request's headers, by their names in lower case; of one that is there more than once, the first."""
        self._declared_bytes = _declared_bytes(fields)
        self.is_absent = self._declared_bytes == 0
        self.is_complete = self.is_absent
        self.is_awaited_by_client = b"expect" in fields and fields[b"expect"].lower() == b"100-continue"
        """The client sends no byte before it is asked to, which the first ``receive`` does."""
        self.is_within_limit = self._declared_bytes is not None and self._declared_bytes <= limit_bytes
        """Declared to be. A length that is not declared may be any."""
        self.held_bytes = 0
        """How much of it was kept."""
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._take = take
        self._read_bytes = 0

    async def whole(self) -> bytes | bytearray:
        """The body, in one piece. Raises: UploadTooLarge, ClientLeft, and what ``take`` raises."""
        if self._declared_bytes is not None and self._declared_bytes > self._limit_bytes:
            raise self._too_large()
        content: bytes | bytearray = b""
        while not self.is_complete:
            chunk = await self._next_chunk()
            if self._read_bytes > self._limit_bytes:
                raise self._too_large()
            if self._take is not None:
                self._take(self._read_bytes - self.held_bytes)
            self.held_bytes = self._read_bytes
            if not content:
                content = chunk  # most bodies are one piece
            else:
                if isinstance(content, bytes):
                    content = bytearray(content)
                content += chunk
        return content

    async def discard(self, *, at_most_bytes: int) -> None:
        """Read on and throw away until the end, or until so many bytes more. Raises: ClientLeft."""
        end = self._read_bytes + at_most_bytes
        while not self.is_complete and self._read_bytes < end:
            await self._next_chunk()

    async def _next_chunk(self) -> bytes:
        self.is_awaited_by_client = False
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk: bytes = message.get("body", b"")
        self._read_bytes += len(chunk)
        self.is_complete = not message.get("more_body", False)
        return chunk

    def _too_large(self) -> UploadTooLarge:
        return UploadTooLarge(f"The body is longer than {self._limit_bytes:,} bytes, the most that is taken.")


def _declared_bytes(fields: Mapping[bytes, bytes]) -> int | None:
    """None: not known before the end. No declaration at all means no body (RFC 9112, section 6.3)."""
    if b"transfer-encoding" in fields:
        return None
    length = fields.get(b"content-length", b"0")
    return int(length) if length.isdigit() else None


class arriving_by(interrupted_at):  # noqa: N801 - read as a statement
    """Read a body in the block, until a moment of the event loop's clock. Raises: UploadTooSlow."""

    def _error(self) -> Exception:
        return UploadTooSlow("The body did not arrive in time.")


async def refuse_early(
    problem: Problem, body: RequestBody, deadline: float, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer while the client may still be sending, and read on for a while.

    Closing the connection at once would reset it, and the client would see that instead of its answer. The rest of a
    body of an allowed length is left to the server, which reads over it and keeps the connection: whoever is refused
    for lack of time should cost little.
    """
    if isinstance(problem, TryLater) and body.is_within_limit:
        await problem_response(scope, problem.status, problem.detail, problem.headers)(scope, receive, send)
        return
    answer = problem_response(scope, problem.status, problem.detail, problem.headers | {"Connection": "close"})
    await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    if not body.is_awaited_by_client:
        with suppress(TimeoutError, ClientLeft):
            async with asyncio.timeout_at(max(deadline, asyncio.get_running_loop().time() + LINGER_SECONDS)):
                await body.discard(at_most_bytes=MAX_DISCARDED_BYTES)
    await send({"type": "http.response.body"})
