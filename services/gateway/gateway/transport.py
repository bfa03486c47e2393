"""What the gateway needs of a client for HTTP: the seam between its rules and the network.

TransportError
    NotAnswered     no connection, or one that closed before a byte of the answer came: it may be sent again
    AnswerBroken    an answer that is missing, broken off, or longer than is held in memory
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

Content = bytes | bytearray | memoryview

MAX_ANSWER_BYTES = 4 * 1024 * 1024


class TransportError(Exception):
    pass


class NotAnswered(TransportError):
    pass


class AnswerBroken(TransportError):
    pass


@dataclass(slots=True)
class Answer:
    """Headers are as they came, by their names in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


@dataclass(slots=True)
class AnswerStream:
    """An answer whose body is still arriving. Its chunks end where it ends or breaks off."""

    status: int
    headers: Mapping[bytes, bytes]
    chunks: AsyncIterator[bytes]

    async def whole(self) -> Answer:
        """The answer, where it turns out not to go on. Raises: AnswerBroken."""
        body = bytearray()
        async for chunk in self.chunks:
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise AnswerBroken("too long")
        return Answer(self.status, self.headers, bytes(body))


class Transport(Protocol):
    """Carries calls to one service; ``target`` is the path there, with its query.

    Both raise: NotAnswered, AnswerBroken; neither has a deadline.
    """

    async def send(self, target: str, headers: Mapping[str, str], body: Content | None = None) -> Answer:
        """``body``: None sends a GET, anything else a POST."""

    def stream(self, target: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[AnswerStream]:
        """A GET whose answer may go on."""
