"""How long the stages of predictions took, as a Prometheus histogram."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BUCKETS_SECONDS = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip

_BOUNDS = [*map(floatToGoString, (*BUCKETS_SECONDS, float("inf")))]


class StageHistogram(Collector):
    """Observed from the event loop alone, so it needs none of the locks, which cost prometheus_client's own histogram
    several times the counting."""

    def __init__(self, stages: Sequence[str]) -> None:
        self._counts = {stage: [0] * len(_BOUNDS) for stage in stages}
        self._seconds = dict.fromkeys(stages, 0.0)

    def observe(self, stage: str, seconds: float) -> None:
        self._counts[stage][bisect_left(BUCKETS_SECONDS, seconds)] += 1
        self._seconds[stage] += seconds

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(
            "catnet_inference_stage_duration_seconds", "Time that a stage of one prediction took.", labels=["stage"]
        )
        for stage, counts in self._counts.items():
            buckets = zip(_BOUNDS, accumulate([*counts]), strict=True)  # a copy: another thread answers the scrape
            family.add_metric([stage], [*buckets], self._seconds[stage])
        yield family
