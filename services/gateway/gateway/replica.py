"""One address of a service: the connections to it that are kept, and whether calls to it are answered.

A process that is stopped, or that hangs, still takes connections; only its silence tells. So the replica with the
fewest calls in work is asked, which leaves a silent one alone once it holds its share; and one that has been silent for
a while is asked by one call now and then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import TracebackType

from gateway.http_connection import HttpConnection
from gateway.transport import NotAnswered

KEEP_ALIVE_SECONDS = 60.0
"""Below that of the services' servers, so that the gateway is the side that closes an idle connection."""
SILENCE_SECONDS = 1.0
"""With calls in work, and without an answer to any: a replica is then asked only where all are silent. Few photos take
so long, and one that does costs nothing: the others are asked meanwhile."""
REST_SECONDS = 5.0
"""Between the end of the last call to a silent replica and the next one. Each may cost a request its deadline."""


class Replica:
    """Entered for each call to it, and left when that is answered, fails or is given up; calls may overlap."""

    def __init__(self, address: str, clock: Callable[[], float]) -> None:
        self.address = address
        self._clock = clock
        self._idle: list[HttpConnection] = []
        self._calls = 0
        self._silent_since = math.inf
        """Since the last answer or, where no call was in work then, since the next one; inf until that comes."""
        self._rests_until = 0.0

    def burden(self) -> tuple[bool, int]:
        """The replica with the least is to be asked: whether it is silent, and its calls in work."""
        now = self._clock()
        is_silent = now - self._silent_since >= SILENCE_SECONDS and (self._calls > 0 or now < self._rests_until)
        return is_silent, self._calls

    def __enter__(self) -> None:
        self._calls += 1
        if self._silent_since == math.inf:
            self._silent_since = self._clock()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._calls -= 1
        now = self._clock()
        if kind is None:
            self._silent_since = now if self._calls else math.inf
            return
        if isinstance(error, NotAnswered):
            self.drop_idle_connections()  # what ended that one may have ended all: the next call needs a new one
        if not self._calls:
            if now - self._silent_since >= SILENCE_SECONDS:
                self._rests_until = now + REST_SECONDS
                self.drop_idle_connections()  # where its machine is gone, only a new one tells
            else:
                self._silent_since = math.inf  # its client left soon: that says nothing

    def keep(self, connection: HttpConnection) -> None:
        connection.rest(self._clock())
        self._idle.append(connection)

    def idle_connection(self) -> HttpConnection | None:
        """The one used last: the others may be needed no more, and end."""
        oldest = self._clock() - KEEP_ALIVE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable and connection.idle_since > oldest:
                return connection
            connection.abort()
        return None

    def drop_idle_connections(self) -> None:
        while self._idle:
            self._idle.pop().abort()
