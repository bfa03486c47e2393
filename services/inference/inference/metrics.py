"""The metrics of inference, beside those that every service has."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from events.accounting import PublisherCounters
from nnlib.errors import BrokenImage, ImageError, TooManyPixels, UnsupportedFormat
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from inference.predictor import ImagePrediction
from inference.stage_histogram import StageHistogram

_REASONS: dict[type[ImageError], str] = {
    UnsupportedFormat: "unsupported_format",
    TooManyPixels: "too_many_pixels",
    BrokenImage: "broken",
}


class InferenceMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._stages = StageHistogram(["decode", "features", "forward"])
        registry.register(self._stages)
        rejected = Counter("catnet_images_rejected", "Bodies that held no usable image.", ["reason"], registry=registry)
        self._rejected = {kind: rejected.labels(reason) for kind, reason in _REASONS.items()}

    def observe_stages(self, prediction: ImagePrediction) -> None:
        if prediction.image.decode_seconds:  # 0 where the image came as pixels: there was nothing to decode
            self._stages.observe("decode", prediction.image.decode_seconds)
        self._stages.observe("features", prediction.image.features_seconds)
        self._stages.observe("forward", prediction.forward_seconds)

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
