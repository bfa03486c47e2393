"""Bound the bytes of all photos that are held at once, however many senders there are and however slow they are.

A place among the requests at work is taken only once a photo is all there: whoever sends slowly keeps nobody out, and
pays for memory with bytes that it really sent.
"""

from __future__ import annotations

from prometheus_client import Counter

from gateway.errors import TooMuchToDo


class UploadMemory:
    """``shed`` counts the bodies refused because there is no room for them."""

    def __init__(self, *, limit_bytes: int, shed: Counter) -> None:
        self._limit_bytes = limit_bytes
        self._shed = shed.labels("memory_full")
        self._held_bytes = 0

    def take(self, piece_bytes: int) -> None:
        """Make room for a piece, before it is kept. Raises: TooMuchToDo."""
        if self._held_bytes + piece_bytes > self._limit_bytes:
            self._shed.inc()
            raise TooMuchToDo("There are too many photos here right now. Try again in a moment.")
        self._held_bytes += piece_bytes

    def give_back(self, held_bytes: int) -> None:
        """What was taken, and is held no more."""
        self._held_bytes -= held_bytes
