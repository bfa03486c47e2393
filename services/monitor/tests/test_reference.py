"""A window of traffic becomes a reference whose thresholds hold."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.aggregates import Counts
from monitor.drift import null_quantiles, p_value_of, population_stability_index
from monitor.manifests import Manifests, read_features
from monitor.reference import (
    PROBABILITIES,
    WINDOW_SIZES,
    TooFewEvents,
    _binomial,
    _multinomial,
    features_of_traffic,
    psi_null_quantiles,
)
from scipy import stats


@given(st.integers(0, 300), st.floats(0, 1), st.integers(0, 1000))
def test_a_binomial_is_within_its_range(trials: int, probability: float, seed: int) -> None:
    assert 0 <= _binomial(trials, probability, random.Random(seed)) <= trials


@pytest.mark.parametrize(("trials", "probability"), [(10, 0.3), (200, 0.02), (200, 0.1), (5000, 0.6), (50_000, 0.9)])
def test_binomials_have_the_mean_and_variance_they_should(trials: int, probability: float) -> None:
    rng = random.Random(trials)
    drawn = [_binomial(trials, probability, rng) for _ in range(4000)]
    exact = stats.binom(trials, probability)
    assert np.mean(drawn) == pytest.approx(exact.mean(), abs=5 * exact.std() / np.sqrt(4000))
    assert np.var(drawn) == pytest.approx(exact.var(), rel=0.15)


def test_a_multinomial_spends_all_trials_as_the_shares_say() -> None:
    rng = random.Random(3)
    shares = [0.5, 0.25, 0.2, 0.05, 0.0]
    drawn = np.array([_multinomial(400, shares, rng) for _ in range(2000)])
    assert (drawn.sum(axis=1) == 400).all()
    assert drawn.mean(axis=0) == pytest.approx(np.array(shares) * 400, abs=1.5)


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
