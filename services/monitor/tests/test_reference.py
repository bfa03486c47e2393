"""A window of traffic becomes a reference whose thresholds hold."""

from __future__ import annotations

import json
import random

import pytest
from monitor.aggregates import Counts
from monitor.drift import null_quantiles, p_value_of, population_stability_index
from monitor.manifests import Manifests, read_features
from monitor.reference import (
    PROBABILITIES,
    WINDOW_SIZES,
    TooFewEvents,
    features_of_traffic,
    psi_null_quantiles,
)
from scipy import stats


def test_thresholds_agree_with_the_chi_squared_limit() -> None:
    quantiles = psi_null_quantiles([200] * 10, 4000, random.Random(1))
    for size, row in zip(WINDOW_SIZES, quantiles, strict=True):
        if size >= 500:
            limit = stats.chi2.ppf(PROBABILITIES[:4], 9) * (1 / size + 1 / 2000)
            assert row[:4] == pytest.approx(limit, rel=0.12)


def traffic(events: int) -> Counts:
    counts = Counts(events=events)
    for name, bins in (("cat_probability", 10), ("brightness", 10), ("aspect_ratio", 10), ("megapixels", 10)):
        counts.update({f"feature:{name}:{number}": events // bins for number in range(bins)})
    counts["feature:format:0"] = events
    return counts


def test_a_reference_of_traffic_is_read_back_and_has_what_only_traffic_has(manifests: Manifests) -> None:
    written = features_of_traffic(traffic(2000), manifests.get("catnet-mlp", "1"), replicates=200)
    features = read_features(json.loads(json.dumps(written)))
    names = ["cat_probability", "brightness", "aspect_ratio", "megapixels", "format"]
    assert [feature.name for feature in features] == names
    assert features[-1].categories[:2] == ("JPEG", "PNG")


@pytest.mark.parametrize("size", [200, 317, 1000, 30_000])
def test_a_format_that_never_varies_raises_no_alarm_and_a_change_of_it_does(manifests: Manifests, size: int) -> None:
    written = features_of_traffic(traffic(2000), manifests.get("catnet-mlp", "1"), replicates=1000)
    [reference] = [feature for feature in read_features(json.loads(json.dumps(written))) if feature.name == "format"]
    quantiles = null_quantiles(reference.psi_null, size)
    for others, is_usual in ((0, True), (size // 4, False)):
        window = [size - others, others, *[0] * 7]
        p_value = p_value_of(population_stability_index(reference.counts, window), PROBABILITIES, quantiles)
        assert (p_value > 0.01) == is_usual


def test_a_window_of_few_is_refused(manifests: Manifests) -> None:
    with pytest.raises(TooFewEvents):
        features_of_traffic(traffic(900), manifests.get("catnet-mlp", "1"))
