"""A histogram in plain numbers, for what one thread alone counts: the client library takes locks, which cost more."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from prometheus_client.utils import floatToGoString


class PlainHistogram:
    """How many values lie between each two edges, the upper one included, and the sum of all."""

    def __init__(self, edges: Sequence[float]) -> None:
        self.sum = 0.0
        self._edges = edges
        self._counts = [0] * (len(edges) + 1)

    def observe(self, value: float) -> None:
        self.sum += value
        self._counts[bisect_left(self._edges, value)] += 1

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus has them: by upper edge, each with all that is below it."""
        bounds = map(floatToGoString, (*self._edges, float("inf")))
        return [*zip(bounds, accumulate([*self._counts]), strict=True)]  # a copy: another thread answers the scrape
