"""Windows of time, made of whole minutes or whole hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Span:
    """The length of a bucket, and how long after its end a bucket is kept: two of the longest windows made of it."""

    name: str
    seconds: int
    kept_seconds: int

    def start_of(self, time: float) -> int:
        """Where the bucket that holds this time begins. Units: epoch seconds."""
        return int(time // self.seconds) * self.seconds

    def expires_at(self, time: float) -> int:
        """When the bucket that holds this time is forgotten. Units: epoch seconds."""
        return self.start_of(time) + self.seconds + self.kept_seconds


MINUTE = Span("minute", 60, kept_seconds=3 * 3600)
HOUR = Span("hour", 3600, kept_seconds=15 * 86_400)
SPANS = (MINUTE, HOUR)


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time up to now, and the buckets it is counted in."""

    name: str
    seconds: int
    span: Span

    def buckets(self, now: float) -> range:
        """Starts of the buckets, oldest first, the one of ``now`` included.

        The first is aligned downward: a window is up to one bucket longer than its name, never shorter.
        Units: epoch seconds.
        """
        return range(self.span.start_of(now - self.seconds), int(now) + 1, self.span.seconds)

    def previous_buckets(self, now: float) -> range:
        """Starts of the buckets of the window of the same length that ends where this one begins."""
        start = self.span.start_of(now - self.seconds)
        return range(start - self.seconds, start, self.span.seconds)


WINDOWS: Mapping[str, Window] = {
    window.name: window
    for window in (
        Window("15m", 900, MINUTE),
        Window("1h", 3600, MINUTE),
        Window("24h", 86_400, HOUR),
        Window("7d", 7 * 86_400, HOUR),
    )
}
DEFAULT_WINDOW = "1h"


def utc(epoch_seconds: float) -> str:
    """RFC 3339 with a "Z", milliseconds only where there are any."""
    time = datetime.fromtimestamp(epoch_seconds, UTC)
    return time.isoformat(timespec="milliseconds" if time.microsecond else "seconds").replace("+00:00", "Z")
