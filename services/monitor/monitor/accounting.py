"""Where every answered prediction is, at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from events.accounting import PublisherCounters


@dataclass(frozen=True, slots=True)
class Accounts:
    """What publishers say, what waits in the stream, and what was counted, read in one atomic step.

    ``entries_added`` is None where Redis does not count them (before 7.0). ``pipeline`` holds the counters that batches
    add to, since the aggregates began: consumed, shadow, duplicates, dead, lost.
    """

    lag: int
    lag_is_exact: bool
    pending: int
    entries_added: int | None
    pipeline: Mapping[str, int]
    publishers: Sequence[PublisherCounters]

    @property
    def consumed(self) -> int:
        """Events counted, each once."""
        return self.pipeline.get("consumed", 0)

    @property
    def shadow(self) -> int:
        """Events of shadow models, each counted once, apart from the predictions."""
        return self.pipeline.get("shadow", 0)

    @property
    def duplicates(self) -> int:
        """Entries that repeated an event already counted."""
        return self.pipeline.get("duplicates", 0)

    @property
    def dead(self) -> int:
        """Entries that are no event, kept apart with the reason."""
        return self.pipeline.get("dead", 0)

    @property
    def lost(self) -> int:
        """Entries that the stream dropped before they were counted.

        Those dropped while a consumer had them are counted one by one. Those dropped before any consumer was given them
        are what is missing of the entries ever added, which only Redis 7.0 and later know; elsewhere they show in
        ``balanced``.
        """
        lost_pending = self.pipeline.get("lost", 0)
        if self.entries_added is None or not self.lag_is_exact:
            return lost_pending
        settled = self.consumed + self.shadow + self.duplicates + self.dead + lost_pending
        return lost_pending + max(self.entries_added - settled - self.pending - self.lag, 0)

    @property
    def answered(self) -> int:
        """Predictions answered, by what the publishers say."""
        return sum(publisher.answered for publisher in self.publishers)

    @property
    def buffered(self) -> int:
        """Events that publishers still hold."""
        return sum(publisher.buffered for publisher in self.publishers)

    @property
    def dropped(self) -> dict[str, int]:
        """Events that publishers gave up, by reason."""
        dropped: Counter[str] = Counter()
        for publisher in self.publishers:
            dropped.update(publisher.dropped)
        return dict(dropped)

    @property
    def missing(self) -> int:
        """Events taken over that are nowhere; below 0, events that nobody took over (or that came twice)."""
        taken_over = self.answered + sum(publisher.shadow for publisher in self.publishers)
        in_stream = self.lag + self.pending
        settled = self.consumed + self.shadow + self.dead + self.lost
        return taken_over - settled - in_stream - self.buffered - sum(self.dropped.values())

    @property
    def balanced(self) -> bool | None:
        """Whether every answered prediction is accounted for; None while that cannot be told."""
        if not self.publishers or not self.lag_is_exact:
            return None
        return self.missing == 0
