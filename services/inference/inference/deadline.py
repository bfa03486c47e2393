"""The moment after which nobody waits for an answer any more."""

from __future__ import annotations

import asyncio
import time

from servicekit.interruption import interrupted_at
from starlette.types import Scope

from inference.errors import DeadlineExceeded, InvalidDeadline

HEADER = b"x-deadline-ms"
"""Milliseconds that the caller still waits: relative, because two machines' clocks differ."""


class Deadline:
    """``moment`` in seconds of ``time.monotonic()``."""

    __slots__ = ("moment",)

    def __init__(self, moment: float) -> None:
        self.moment = moment

    @classmethod
    def of(cls, scope: Scope, *, longest_seconds: float) -> Deadline:
        """The caller's deadline, or the longest that is allowed, whichever comes first.

        Raises: InvalidDeadline if the header is not a number.
        """
        seconds = longest_seconds
        for name, value in scope["headers"]:
            if name == HEADER:
                if not (value.isdigit() and len(value) <= 9):
                    raise InvalidDeadline(f"{HEADER.decode()} must be a whole number of milliseconds.")
                seconds = min(int(value) / 1000, longest_seconds)
        return cls(time.monotonic() + seconds)

    def enforced(self) -> _Enforced:
        """For ``with``: cut off at the deadline what awaits inside.

        Raises: DeadlineExceeded.
        """
        return _Enforced(asyncio.get_running_loop().time() + self.moment - time.monotonic())

    def check(self) -> None:
        """Raises: DeadlineExceeded."""
        if time.monotonic() >= self.moment:
            raise DeadlineExceeded


class _Enforced(interrupted_at):
    def _error(self) -> Exception:
        return DeadlineExceeded()
