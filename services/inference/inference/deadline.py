"""The moment after which nobody waits for an answer any more."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass

from servicekit.interruption import interrupted_at
from starlette.requests import Request

from inference.errors import DeadlineExceeded, InvalidDeadline
from inference.request_header import request_header

HEADER = b"x-deadline-ms"
"""Milliseconds that the caller still waits: relative, because two machines' clocks differ."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """``moment`` in seconds of ``time.monotonic()``."""

    moment: float

    @classmethod
    def of(cls, request: Request, *, longest_seconds: float) -> Deadline:
        """The caller's deadline, or the longest that is allowed, whichever comes first.

        Raises: InvalidDeadline if the header is not a number.
        """
        return cls(time.monotonic() + min(_requested_seconds(request), longest_seconds))

    @property
    def remaining_seconds(self) -> float:
        return self.moment - time.monotonic()

    def enforced(self) -> _Enforced:
        """For ``async with``: cut off at the deadline what awaits inside.

        Raises: DeadlineExceeded.
        """
        return _Enforced(self.remaining_seconds)

    def check(self) -> None:
        """Raises: DeadlineExceeded."""
        if self.remaining_seconds <= 0:
            raise DeadlineExceeded


class _Enforced(interrupted_at):
    def __init__(self, seconds: float) -> None:
        super().__init__(asyncio.get_running_loop().time() + seconds)

    def _error(self) -> Exception:
        return DeadlineExceeded()


def _requested_seconds(request: Request) -> float:
    milliseconds = request_header(request, HEADER)
    if milliseconds is None:
        return math.inf
    if not (milliseconds.isdigit() and len(milliseconds) <= 9):
        raise InvalidDeadline(f"{HEADER.decode()} must be a whole number of milliseconds.")
    return int(milliseconds) / 1000
