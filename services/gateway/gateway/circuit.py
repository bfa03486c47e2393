"""Stop asking a service that does not answer, and find out soon when it is back.

    closed ──FAILURES_TO_OPEN in a row──▶ open ──OPEN_SECONDS──▶ half-open ──answer──▶ closed
                                           ▲                         │
                                           └──────── failure ────────┘

While it is open, whoever asks is told so at once. While it is half-open, one call at a time goes through: the probe.
Calls that run out of time beside others that are answered are no failures of the service: one of its replicas hangs.
Source: M. Nygard, Release It!, 2nd edition, section 5.2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType

from prometheus_client import Gauge

from gateway.errors import UpstreamResting
from gateway.transport import TransportError

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 1.0
ANSWERING_SECONDS = 1.0
"""So long after an answer the service counts as one that answers."""

CLOSED, HALF_OPEN, OPEN = 0, 1, 2


class Circuit:
    """The state of one service, as its callers see it. ``state`` shows it: 0 closed, 1 half-open, 2 open."""

    def __init__(self, name: str, state: Gauge, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._state = state
        self._clock = clock
        self._failures = 0
        self._answered_at = -math.inf
        self._opens_until = 0.0
        self._is_probing = False
        self._usual_call = _Call(self, is_probe=False)
        self._probe = _Call(self, is_probe=True)
        state.set(CLOSED)

    def check(self) -> None:
        """Raises: UpstreamResting, where a call would."""
        if self._failures < FAILURES_TO_OPEN:
            return
        rest_seconds = self._opens_until - self._clock()
        if rest_seconds > 0 or self._is_probing:
            raise UpstreamResting(
                f"The {self._name} service is away. Try again in a moment.",
                headers={"Retry-After": str(max(1, math.ceil(rest_seconds)))},
            )

    def call(self) -> _Call:
        """One call. A TransportError counts as a failure; a cancelled call tells nothing. Raises: UpstreamResting."""
        if self._failures < FAILURES_TO_OPEN:
            return self._usual_call
        self.check()
        self._is_probing = True
        self._state.set(HALF_OPEN)
        return self._probe

    def end_probe(self) -> None:
        self._is_probing = False

    def succeed(self) -> None:
        """Note a call that was answered."""
        self._answered_at = self._clock()
        if self._failures:
            self._failures = 0
            self._state.set(CLOSED)

    def fail(self) -> None:
        """Note a call that was not answered."""
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._opens_until = self._clock() + OPEN_SECONDS
            self._state.set(OPEN)

    def run_out_of_time(self) -> None:
        """Note a call that was not answered in time."""
        if self._clock() - self._answered_at >= ANSWERING_SECONDS:
            self.fail()


class _Call:
    """Many calls at a time may be the usual one, and one the probe."""

    __slots__ = ("_circuit", "_is_probe")

    def __init__(self, circuit: Circuit, *, is_probe: bool) -> None:
        self._circuit = circuit
        self._is_probe = is_probe

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._circuit.succeed()
        elif issubclass(kind, TransportError):
            self._circuit.fail()
        if self._is_probe:
            self._circuit.end_probe()
