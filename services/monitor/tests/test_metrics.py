"""Prometheus sees the totals of the aggregates, with every label set from the start."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from monitor.accounting import Accounts
from monitor.aggregates import Counts, count_events, latency_edges
from monitor.manifests import Manifest, Manifests
from monitor.metrics import AggregatesCollector, Snapshot, families
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from shared.events.tests.examples import event

EMPTY_REPORT: dict[str, Any] = {
    "drift": {
        "status": "insufficient_data",
        "features": [{"name": "brightness", "psi": None, "threshold": None}],
    },
    "quality": {"estimated_accuracy": {"value": None}},
}


class Fixed:
    """A collector of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Any:
        return families(self._snapshot)


def exposed(manifest: Manifest, counts: Counts, report: dict[str, Any] | None = None) -> dict[str, float]:
    """What a scrape reads: "name{label=value}" -> value."""
    registry = CollectorRegistry()
    accounts = Accounts(3, True, 2, None, {"consumed": 7, "dead": 1, "last_event_us": 1_500_000}, [])
    registry.register(Fixed(Snapshot([(manifest, counts)], accounts, report or EMPTY_REPORT)))
    text = generate_latest(registry).decode()
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_before_the_first_event_every_label_set_is_zero(manifests: Manifests) -> None:
    samples = exposed(manifests.get("catnet-mlp", "1"), Counter())
    for label in ("cat", "non-cat"):
        assert samples[f"catnet_predictions_total label={label} model=catnet-mlp/1"] == 0
    assert samples["catnet_prediction_latency_seconds_count model=catnet-mlp/1"] == 0
    assert samples["catnet_prediction_confidence_bucket le=+Inf model=catnet-mlp/1"] == 0
    for result in ("consumed", "duplicate", "dead", "lost"):
        assert f"catnet_events_consumed_total result={result}" in samples
    for agrees in ("true", "false"):
        assert samples[f"catnet_feedback_total agrees={agrees}"] == 0
        assert samples[f"catnet_shadow_compared_total agrees={agrees}"] == 0
    assert samples["catnet_drift_status"] == -1


def test_what_shadow_models_said_is_counted_by_whether_they_agree(manifests: Manifests) -> None:
    counts = Counter(
        {"shadow_events": 12, "shadow:other/1:true": 7, "shadow:other/1:false": 3, "shadow:third/2:false": 2}
    )
    samples = exposed(manifests.get("catnet-mlp", "1"), counts)
    assert samples["catnet_shadow_compared_total agrees=true"] == 7
    assert samples["catnet_shadow_compared_total agrees=false"] == 5


def test_histograms_are_cumulative_and_sum_up_to_the_count(manifests: Manifests) -> None:
    manifest = manifests.get("catnet-mlp", "1")
    counts: Counts = Counter()
    for number, seconds in enumerate((0.0004, 0.05, 0.051, 20.0)):
        label = "cat" if number % 2 else "non-cat"
        one = event(number, label=label, total_seconds=seconds, cat_probability=0.65 + number / 10)
        counts += count_events([one], manifest) + latency_edges([one])
    samples = exposed(manifest, counts)
    latency = {
        edge: samples[f"catnet_prediction_latency_seconds_bucket le={edge} model=catnet-mlp/1"]
        for edge in ("0.0005", "0.025", "0.05", "0.1", "10", "+Inf")
    }
    assert latency == {"0.0005": 1, "0.025": 1, "0.05": 2, "0.1": 3, "10": 3, "+Inf": 4}
    assert samples["catnet_prediction_latency_seconds_sum model=catnet-mlp/1"] == pytest.approx(20.1014)
    confidence = {
        edge: samples[f"catnet_prediction_confidence_bucket le={edge} model=catnet-mlp/1"]
        for edge in ("0.6", "0.7", "0.8", "0.9", "+Inf")
    }
    assert confidence == {"0.6": 0, "0.7": 1, "0.8": 2, "0.9": 3, "+Inf": 4}
    assert samples["catnet_prediction_confidence_sum model=catnet-mlp/1"] == pytest.approx(3.2)


def test_the_accounts_and_the_verdict_are_shown(manifests: Manifests) -> None:
    report = {
        "drift": {"status": "drift", "features": [{"name": "brightness", "psi": 0.5, "threshold": 0.25}]},
        "quality": {"estimated_accuracy": {"value": 0.75}},
    }
    samples = exposed(manifests.get("catnet-mlp", "1"), Counter(), report)
    assert samples["catnet_events_consumed_total result=consumed"] == 7
    assert samples["catnet_events_consumed_total result=dead"] == 1
    assert (samples["catnet_stream_lag"], samples["catnet_stream_pending"]) == (3, 2)
    assert samples["catnet_last_event_timestamp_seconds"] == 1.5
    assert samples["catnet_drift_psi feature=brightness"] == 0.5
    assert samples["catnet_drift_threshold feature=brightness"] == 0.25
    assert samples["catnet_drift_status"] == 2
    assert samples["catnet_estimated_accuracy_ratio"] == 0.75


def test_before_the_service_runs_only_the_absence_of_redis_is_shown() -> None:
    async def never() -> Snapshot:
        raise AssertionError

    assert [family.name for family in AggregatesCollector(never).collect()] == ["catnet_redis_up"]
