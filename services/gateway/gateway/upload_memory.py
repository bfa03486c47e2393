"""Bound the bytes of all photos that are held at once, however many senders there are and however slow they are.

A place among the requests at work is taken only once a photo is all there: whoever sends slowly keeps nobody out, and
pays for memory with bytes that it really sent.
"""

from __future__ import annotations

from types import TracebackType

from prometheus_client import Counter

from gateway.errors import TooMuchToDo


class UploadMemory:
    """``shed`` counts the bodies refused because there is no room for them."""

    def __init__(self, *, limit_bytes: int, shed: Counter) -> None:
        self._limit_bytes = limit_bytes
        self._shed = shed.labels("memory_full")
        self._held_bytes = 0

    def share(self) -> Share:
        """What one photo takes up while the block runs."""
        return Share(self)

    def take(self, piece_bytes: int) -> None:
        """Raises: TooMuchToDo."""
        if self._held_bytes + piece_bytes > self._limit_bytes:
            self._shed.inc()
            raise TooMuchToDo("There are too many photos here right now. Try again in a moment.")
        self._held_bytes += piece_bytes

    def give_back(self, held_bytes: int) -> None:
        self._held_bytes -= held_bytes


class Share:
    __slots__ = ("_held_bytes", "_memory")

    def __init__(self, memory: UploadMemory) -> None:
        self._memory = memory
        self._held_bytes = 0

    def take(self, piece_bytes: int) -> None:
        """Call it with the length of each piece before it is kept. Raises: TooMuchToDo."""
        self._memory.take(piece_bytes)
        self._held_bytes += piece_bytes

    def __enter__(self) -> Share:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._memory.give_back(self._held_bytes)
