"""How long the stages of predictions took, as a Prometheus histogram."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from servicekit.plain_histogram import PlainHistogram

BUCKETS_SECONDS = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip


class StageHistogram(Collector):
    """Observed from the event loop alone."""

    def __init__(self, stages: Sequence[str]) -> None:
        self._stages = {stage: PlainHistogram(BUCKETS_SECONDS) for stage in stages}

    def observe(self, stage: str, seconds: float) -> None:
        self._stages[stage].observe(seconds)

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(
            "catnet_inference_stage_duration_seconds", "Time that a stage of one prediction took.", labels=["stage"]
        )
        for stage, seconds in self._stages.items():
            family.add_metric([stage], seconds.buckets(), seconds.sum)
        yield family
