"""What Prometheus sees of the aggregates: read from Redis at each scrape, so that every replica shows the same.

Counters are all-time totals kept in Redis: a restart of the monitor does not reset them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass

import structlog
from events.prediction import LABELS
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monitor.accounting import Accounts
from monitor.aggregates import LATENCY_EDGES, confidence_histograms
from monitor.counted_prediction import MILLION
from monitor.drift import STATUSES
from monitor.manifests import Manifest
from monitor.redis_connection import RedisAway
from monitor.report import Report

_log = structlog.get_logger("metrics")

READ_TIMEOUT_SECONDS = 4.0
NAN = float("nan")
"""How Prometheus writes "there is no value now"."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is shown: all-time counts by model, the accounts, and the default model's report of the last hour."""

    totals: Sequence[tuple[Manifest, Mapping[str, int]]]
    accounts: Accounts
    report: Report


class AggregatesCollector(Collector):
    """Reads a snapshot at each scrape; scrapes run on threads of their own, Redis is read on the service's loop."""

    def __init__(self, read: Callable[[], Awaitable[Snapshot]]) -> None:
        self._read = read
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        """Begin to read, on the running loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        self._loop = None

    def collect(self) -> Iterator[Metric]:
        snapshot = self._snapshot()
        yield _gauge("catnet_redis_up", "Whether Redis answered this scrape.", snapshot is not None)
        if snapshot:
            yield from families(snapshot)

    def _snapshot(self) -> Snapshot | None:
        if self._loop is None:
            return None

        async def read() -> Snapshot:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                return await self._read()

        try:
            return asyncio.run_coroutine_threadsafe(read(), self._loop).result(READ_TIMEOUT_SECONDS + 1)
        except (RedisAway, TimeoutError, CancelledError) as error:
            _log.warning("the aggregates cannot be read", reason=str(error) or type(error).__name__)
            return None


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """The metrics of a snapshot."""
    yield from _predictions(snapshot.totals)
    yield from _drift(snapshot.report)
    yield from _accounts(snapshot.accounts)


def _predictions(totals: Sequence[tuple[Manifest, Mapping[str, int]]]) -> Iterator[Metric]:
    predictions = CounterMetricFamily("catnet_predictions", "Predictions counted.", labels=["model", "label"])
    latency = HistogramMetricFamily(
        "catnet_prediction_latency_seconds", "Time inference took to answer.", labels=["model"]
    )
    confidence = HistogramMetricFamily(
        "catnet_prediction_confidence", "max(P(cat), 1 - P(cat)) of predictions.", labels=["model"]
    )
    for manifest, counts in totals:
        for label in LABELS:
            predictions.add_metric([manifest.model, label], counts.get(f"label:{label}", 0))
        latency_counts = [counts.get(f"latency_le:{edge}", 0) for edge in LATENCY_EDGES]
        latency.add_metric(
            [manifest.model], _cumulative(LATENCY_EDGES, latency_counts), counts.get("latency_us", 0) / MILLION
        )
        # The last edge of the manifest is 1, and no confidence is above it.
        edges = [*(f"{edge:g}" for edge in manifest.confidence_edges[1:-1]), "+Inf"]
        confidence.add_metric(
            [manifest.model],
            _cumulative(edges, confidence_histograms(counts, len(edges))[0]),
            counts.get("confidence_millionths", 0) / MILLION,
        )
    yield from (predictions, latency, confidence)
    feedback = CounterMetricFamily(
        "catnet_feedback", "What people said of predictions, by whether it agrees.", labels=["agrees"]
    )
    for agrees in ("true", "false"):
        feedback.add_metric([agrees], sum(counts.get(f"feedback_taken:{agrees}", 0) for _, counts in totals))
    yield feedback


def _drift(report: Report) -> Iterator[Metric]:
    psi = GaugeMetricFamily(
        "catnet_drift_psi", "Population stability index, default model, last hour.", labels=["feature"]
    )
    threshold = GaugeMetricFamily(
        "catnet_drift_threshold", "PSI beyond chance at this window size, default model, last hour.", labels=["feature"]
    )
    for feature in report["drift"]["features"]:
        psi.add_metric([feature["name"]], NAN if feature["psi"] is None else feature["psi"])
        threshold.add_metric([feature["name"]], NAN if feature["threshold"] is None else feature["threshold"])
    yield from (psi, threshold)
    yield _gauge(
        "catnet_drift_status",
        "Default model, last hour: -1 insufficient data, 0 ok, 1 warning (this window), 2 drift (two in a row).",
        STATUSES.index(report["drift"]["status"]) - 1,
    )
    accuracy = report["quality"]["estimated_accuracy"]["value"]
    yield _gauge(
        "catnet_estimated_accuracy_ratio",
        "Accuracy expected from the model's own probabilities, default model, last hour.",
        NAN if accuracy is None else accuracy,
    )


def _accounts(accounts: Accounts) -> Iterator[Metric]:
    consumed = CounterMetricFamily("catnet_events_consumed", "Stream entries settled, by result.", labels=["result"])
    for result, count in (
        ("consumed", accounts.consumed),
        ("shadow", accounts.shadow),
        ("duplicate", accounts.duplicates),
        ("dead", accounts.dead),
        ("lost", accounts.lost),
    ):
        consumed.add_metric([result], count)
    yield consumed
    yield CounterMetricFamily(
        "catnet_events_answered", "Predictions answered, as publishers say.", value=accounts.answered
    )
    yield _gauge(
        "catnet_events_missing",
        "Answered predictions that are nowhere; not 0 is a fault.",
        NAN if accounts.balanced is None else accounts.missing,
    )
    yield _gauge("catnet_stream_lag", "Stream entries not yet given to any consumer.", accounts.lag)
    yield _gauge("catnet_stream_pending", "Stream entries given to a consumer and not yet settled.", accounts.pending)
    last_event_us = accounts.pipeline.get("last_event_us")
    yield _gauge(
        "catnet_last_event_timestamp_seconds",
        "Time of the newest event counted.",
        NAN if last_event_us is None else last_event_us / MILLION,
    )


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=float(value))


def _cumulative(edges: Sequence[str], counts: Sequence[int]) -> list[tuple[str, float]]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for edge, count in zip(edges, counts, strict=True):
        total += count
        buckets.append((edge, float(total)))
    return buckets
