"""Events become integer counts, and adding those up in any order or grouping gives the same."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.aggregates import (
    FORMATS,
    TRAFFIC_FEATURES,
    Counts,
    bins_of,
    confidence_histograms,
    count_events,
    histogram,
    latency_edges,
    merge,
)
from monitor.manifests import Manifest, Manifests
from monitor.percentiles import bin_of
from nnlib import preprocessing

from shared.events.tests.examples import event


def count(manifest: Manifest, **changes: object) -> Counts:
    return count_events([event(**changes)], manifest)


def test_an_event_is_counted_in_every_part_of_the_report(manifests: Manifests) -> None:
    counts = count(manifests.get("catnet-mlp", "1"), cat_probability=0.25, label="non-cat", certain=False)
    assert counts == {
        "events": 1,
        "label:non-cat": 1,
        "uncertain": 1,
        f"latency:{bin_of(0.006)}": 1,
        f"decode:{bin_of(0.004)}": 1,
        f"forward:{bin_of(0.0002)}": 1,
        "latency_us": 6000,
        "confidence:non-cat:2": 1,
        "confidence_millionths": 750_000,
        "correct_millionths": 750_000,
        "correct_variance_millionths": 187_500,
        "feature:cat_probability:2": 1,
        "feature:brightness:5": 1,
        "feature:aspect_ratio:6": 1,
        "feature:megapixels:3": 1,
        "feature:format:0": 1,
    }


def test_an_event_without_a_feature_is_not_counted_in_it(manifests: Manifests) -> None:
    counts = count(manifests.get("catnet-mlp", "1"), features={})
    assert not bins_of(counts, "feature:brightness")


@pytest.mark.parametrize(
    ("value", "number"), [(-5.0, 0), (0.0, 0), (0.0999, 0), (0.1, 1), (0.9, 9), (1.0, 9), (7.0, 9)]
)
def test_outer_bins_are_open_and_an_edge_belongs_to_the_bin_above_it(
    manifests: Manifests, value: float, number: int
) -> None:
    counts = count(manifests.get("catnet-mlp", "1"), features={"brightness": value})
    assert bins_of(counts, "feature:brightness") == {number: 1}


def test_a_model_without_a_manifest_is_counted_by_the_default_bins(manifests: Manifests) -> None:
    counts = count(manifests.get("stranger", "9"), cat_probability=1.0)
    assert bins_of(counts, "confidence:cat") == {9: 1}
    features = {field.split(":")[1] for field in counts if field.startswith("feature:")}
    assert features == {bins.name for bins in TRAFFIC_FEATURES}


def test_the_probability_of_being_right_is_that_of_the_label(manifests: Manifests) -> None:
    counts = count(manifests.get("catnet-mlp", "1"), cat_probability=0.25, label="cat")
    assert counts["correct_millionths"] == 250_000
    assert counts["confidence_millionths"] == 750_000


def test_every_format_that_a_photo_can_have_is_counted_on_its_own(manifests: Manifests) -> None:
    manifest = manifests.get("catnet-mlp", "1")
    for name in (*preprocessing._FILES, "other"):
        counts = count(manifest, image_format=name)
        assert bins_of(counts, "feature:format") == {FORMATS.index(name): 1}


@pytest.mark.parametrize(
    ("seconds", "field"),
    [(0.0, "latency_le:0.0005"), (0.05, "latency_le:0.05"), (0.0501, "latency_le:0.1"), (11.0, "latency_le:+Inf")],
)
def test_a_duration_belongs_to_the_first_edge_that_is_not_below_it(seconds: float, field: str) -> None:
    assert latency_edges([event(total_seconds=seconds)]) == {field: 1}


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2**60)), max_size=6), st.randoms())
def test_merging_does_not_depend_on_order_or_grouping(parts: Sequence[dict[str, int]], random: object) -> None:
    whole = merge(parts)
    assert merge(reversed(parts)) == whole
    assert merge([merge(parts[:2]), merge(parts[2:])]) == whole


def test_a_histogram_shows_empty_bins() -> None:
    assert histogram({"confidence:1": 4, "confidence_millionths": 9}, "confidence", 3) == [0, 4, 0]


def test_confidences_are_told_apart_by_label_and_those_counted_without_one_are_in_the_whole() -> None:
    counts = {"confidence:0": 5, "confidence:cat:0": 1, "confidence:cat:1": 2, "confidence:non-cat:1": 4}
    whole, by_label = confidence_histograms(counts, 2)
    assert whole == [6, 6]
    assert by_label == {"cat": [1, 2], "non-cat": [0, 4]}
