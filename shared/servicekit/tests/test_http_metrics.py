"""Requests are counted as Prometheus's own client would count them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from servicekit.http_metrics import DURATION_BUCKETS_SECONDS, HttpMetrics


def measured(*seconds: float) -> CollectorRegistry:
    registry = CollectorRegistry()
    metrics = HttpMetrics(registry, service="gateway", version="1", revision="r")
    for each in seconds:
        metrics.begin()
        metrics.end("/predict", "POST", 200, each)
    return registry


def samples(registry: CollectorRegistry, name: str) -> dict[tuple[str, str], float]:
    """By the end of the sample's name and by upper edge."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name.removeprefix(name), sample.labels.get("le", "")): sample.value
        for family in families
        if family.name == name
        for sample in family.samples
    }


@given(st.lists(st.one_of(st.floats(0, 20), st.sampled_from(DURATION_BUCKETS_SECONDS)), min_size=1))
def test_durations_are_in_the_buckets_of_the_client_library(seconds: list[float]) -> None:
    name = "catnet_http_request_duration_seconds"
    theirs = CollectorRegistry()
    histogram = Histogram(name, "", ["service"], buckets=DURATION_BUCKETS_SECONDS, registry=theirs).labels("gateway")
    for each in seconds:
        histogram.observe(each)
    assert samples(measured(*seconds), name) == samples(theirs, name)


def test_the_families_are_those_of_openmetrics_too() -> None:
    text = openmetrics(measured(0.05)).decode()
    assert 'catnet_http_requests_total{code="200",method="POST",route="/predict",service="gateway"} 1.0' in text
    assert 'catnet_http_request_duration_seconds_count{method="POST",route="/predict",service="gateway"} 1.0' in text
    assert text.endswith("# EOF\n")


def test_requests_in_progress_are_those_that_have_not_ended() -> None:
    registry = CollectorRegistry()
    metrics = HttpMetrics(registry, service="gateway", version="1", revision="r")
    metrics.begin()
    metrics.begin()
    metrics.end("/predict", "POST", 200, 0.1)
    assert registry.get_sample_value("catnet_http_requests_in_progress", {"service": "gateway"}) == 1


def test_a_method_of_a_strangers_making_adds_no_label_value() -> None:
    registry = CollectorRegistry()
    metrics = HttpMetrics(registry, service="gateway", version="1", revision="r")
    metrics.begin()
    metrics.end("/predict", "BREW", 405, 0.1)
    labels = {"service": "gateway", "route": "/predict", "method": "other", "code": "405"}
    assert registry.get_sample_value("catnet_http_requests_total", labels) == 1
