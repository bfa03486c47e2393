"""The metrics of inference, beside those that every service has."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from events.accounting import PublisherCounters
from nnlib.errors import BrokenImage, ImageError, TooManyPixels, UnsupportedFormat
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from inference.predictor import ImagePrediction

STAGE_BUCKETS_SECONDS = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip

_REASONS: dict[type[ImageError], str] = {
    UnsupportedFormat: "unsupported_format",
    TooManyPixels: "too_many_pixels",
    BrokenImage: "broken",
}


class InferenceMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        stages = Histogram(
            "catnet_inference_stage_duration_seconds",
            "Time that a stage of one prediction took.",
            ["stage"],
            buckets=STAGE_BUCKETS_SECONDS,
            registry=registry,
        )
        self._decode, self._features, self._forward = map(stages.labels, ("decode", "features", "forward"))
        rejected = Counter("catnet_images_rejected", "Bodies that held no usable image.", ["reason"], registry=registry)
        self._rejected = {kind: rejected.labels(reason) for kind, reason in _REASONS.items()}

    def observe_stages(self, prediction: ImagePrediction) -> None:
        if prediction.image.decode_seconds:  # 0 where the image came as pixels: there was nothing to decode
            self._decode.observe(prediction.image.decode_seconds)
        self._features.observe(prediction.image.features_seconds)
        self._forward.observe(prediction.forward_seconds)

    def count_rejected(self, error: ImageError) -> None:
        self._rejected[type(error)].inc()


class PublisherCollector(Collector):
    """Shows the publisher's own counters when it is scraped, so that no second count can disagree with them."""

    def __init__(self, read_counters: Callable[[], PublisherCounters]) -> None:
        self._read_counters = read_counters

    def collect(self) -> Iterable[Metric]:
        counters = self._read_counters()
        yield CounterMetricFamily("catnet_events_published", "Events that are in the stream.", value=counters.published)
        dropped = CounterMetricFamily("catnet_events_dropped", "Events lost, by reason.", labels=["reason"])
        for reason, count in counters.dropped.items():
            dropped.add_metric([reason], count)
        yield dropped
        yield GaugeMetricFamily("catnet_event_buffer_size", "Events that wait for the stream.", value=counters.buffered)
