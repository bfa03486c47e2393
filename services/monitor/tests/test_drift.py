"""Drift is told from chance at a stated rate, at every size of window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.drift import (
    FALSE_ALARM_RATE,
    MINIMUM_EVENTS,
    chi_squared_at,
    chi_squared_tail,
    critical_p_values,
    detect_drift,
    null_quantiles,
    p_value_of,
    population_stability_index,
    psi_at,
)
from monitor.manifests import PsiNull, ReferenceFeature
from scipy import stats

BINS = 10
REFERENCE = (200,) * BINS
FEATURES = ("brightness", "contrast", "saturation")
PROBABILITIES = (0.5, 0.9, 0.95, 0.99, 0.995, 0.999)
WINDOW_SIZES = (200, 500, 1000, 2000, 5000, 10000, 50000)

p_value_lists = st.lists(st.floats(1e-9, 1), min_size=1, max_size=10)


@pytest.fixture(scope="module")
def null() -> PsiNull:
    """The bootstrap of a reference of 2,000 in ten equal bins, as a manifest has it."""
    rng = np.random.default_rng(1)
    shares = np.full(BINS, 1 / BINS)
    rows = []
    for size in WINDOW_SIZES:
        references = rng.multinomial(sum(REFERENCE), shares, size=20_000) + 0.5
        windows = rng.multinomial(size, shares, size=20_000) + 0.5
        r, w = (counts / counts.sum(axis=1, keepdims=True) for counts in (references, windows))
        rows.append(tuple(np.quantile(((w - r) * np.log(w / r)).sum(axis=1), PROBABILITIES).tolist()))
    return PsiNull(PROBABILITIES, WINDOW_SIZES, tuple(rows))


@pytest.fixture(scope="module")
def features(null: PsiNull) -> list[ReferenceFeature]:
    edges = tuple(np.linspace(0, 1, BINS + 1).tolist())
    return [ReferenceFeature(name, edges, REFERENCE, null) for name in FEATURES]


def counts(**windows: Sequence[int]) -> dict[str, int]:
    return {
        f"feature:{name}:{number}": int(count)
        for name, window in windows.items()
        for number, count in enumerate(window)
    }


def even(events: int) -> list[int]:
    return [events // BINS] * BINS


SHIFTED = [10, 10, 10, 10, 10, 50, 100, 100, 100, 100]


def test_psi_is_the_sum_of_both_relative_entropies() -> None:
    reference, current = [5, 20, 30, 0], [50, 2, 30, 4]
    r, c = np.array(reference) + 0.5, np.array(current) + 0.5
    assert population_stability_index(reference, current) == pytest.approx(stats.entropy(r, c) + stats.entropy(c, r))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=2, max_size=20))
def test_psi_is_finite_and_never_negative_whatever_bins_are_empty(pairs: list[tuple[int, int]]) -> None:
    reference, current = zip(*pairs, strict=True)
    assert 0 <= population_stability_index(reference, current) < np.inf
    assert population_stability_index(reference, reference) == 0


@given(p_value_lists)
def test_discoveries_are_those_of_benjamini_and_hochberg(p_values: list[float]) -> None:
    adjusted = stats.false_discovery_control(p_values)
    is_near = np.isclose(adjusted, FALSE_ALARM_RATE, rtol=1e-9)
    discoveries = np.array(p_values) <= critical_p_values(p_values, FALSE_ALARM_RATE)
    assert (discoveries == (adjusted <= FALSE_ALARM_RATE))[~is_near].all()


@given(p_value_lists, st.data())
def test_a_p_value_at_its_bar_would_be_a_discovery_and_one_above_it_would_not(
    p_values: list[float], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(p_values) - 1))
    bar = critical_p_values(p_values, FALSE_ALARM_RATE)[number]
    for factor, is_discovery in ((1 - 1e-6, True), (1 + 1e-6, False)):
        moved = [*p_values[:number], bar * factor, *p_values[number + 1 :]]
        assert (stats.false_discovery_control(moved)[number] <= FALSE_ALARM_RATE) == is_discovery


@given(st.floats(1e-6, 1), st.integers(200, 100_000))
def test_the_threshold_of_a_p_value_has_that_p_value(null: PsiNull, p_value: float, window_size: int) -> None:
    quantiles = null_quantiles(null, window_size)
    assert p_value_of(psi_at(p_value, PROBABILITIES, quantiles), PROBABILITIES, quantiles) == pytest.approx(p_value)


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_a_quantile_of_the_bootstrap_has_its_own_p_value(null: PsiNull, probability: float) -> None:
    quantiles = null_quantiles(null, 1000)
    psi = null.quantiles[WINDOW_SIZES.index(1000)][PROBABILITIES.index(probability)]
    assert p_value_of(psi, PROBABILITIES, quantiles) == pytest.approx(1 - probability)


@pytest.mark.parametrize("window_size", [200, 300, 700, 3000, 20_000])
def test_p_values_agree_with_the_chi_squared_limit(null: PsiNull, window_size: int) -> None:
    scale = 1 / window_size + 1 / sum(REFERENCE)
    quantiles = null_quantiles(null, window_size)
    for tail in (0.99, 0.8, 0.6, 0.3, 0.2, 0.05, 0.01, 0.002):
        psi = stats.chi2.isf(tail, BINS - 1) * scale
        assert p_value_of(psi, PROBABILITIES, quantiles) == pytest.approx(tail, rel=0.35, abs=0.02)


@given(st.floats(0, 1000), st.floats(1e-200, 0.999))
def test_the_chi_squared_distribution_is_that_of_scipy(value: float, tail: float) -> None:
    assert chi_squared_tail(value) == pytest.approx(stats.chi2.sf(value, BINS - 1), rel=1e-9, abs=1e-300)
    assert chi_squared_at(tail) == pytest.approx(stats.chi2.isf(tail, BINS - 1), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("window_size", [200, 1000, 50_000])
def test_p_values_are_those_of_a_bootstrap_of_its_own(null: PsiNull, window_size: int) -> None:
    rng = np.random.default_rng(7)
    references = rng.multinomial(sum(REFERENCE), [1 / BINS] * BINS, size=20_000)
    windows = rng.multinomial(window_size, [1 / BINS] * BINS, size=20_000)
    r, w = ((c + 0.5) / (c + 0.5).sum(axis=1, keepdims=True) for c in (references, windows))
    psis = np.sort(((w - r) * np.log(w / r)).sum(axis=1))
    quantiles = null_quantiles(null, window_size)
    for rank in range(100, 19_900, 100):
        p_value = 1 - rank / len(psis)
        assert p_value_of(psis[rank], PROBABILITIES, quantiles) == pytest.approx(p_value, rel=0.1, abs=0.02)


@pytest.mark.parametrize("window_size", [200, 350, 2000, 30_000])
def test_undrifted_windows_alarm_at_most_at_the_stated_rate(features: list[ReferenceFeature], window_size: int) -> None:
    rng = np.random.default_rng(window_size)
    windows = 2000
    alarms = 0
    for _ in range(windows):
        # A reference is itself a sample: what it was drawn from is what undrifted traffic is drawn from.
        judged = [
            ReferenceFeature(f.name, f.bin_edges, tuple(rng.multinomial(2000, [1 / BINS] * BINS).tolist()), f.psi_null)
            for f in features
        ]
        current = counts(**{name: rng.multinomial(window_size, [1 / BINS] * BINS) for name in FEATURES})
        alarms += detect_drift(judged, current, {}).status != "ok"
    assert alarms <= windows * FALSE_ALARM_RATE
    assert alarms >= 1, "a detector that never alarms cannot be told from one that does not work"


def test_one_window_beyond_chance_is_a_warning_and_two_in_a_row_are_drift(features: list[ReferenceFeature]) -> None:
    shifted = counts(brightness=SHIFTED, contrast=even(500), saturation=even(500))
    quiet = counts(brightness=even(500), contrast=even(500), saturation=even(500))
    assert detect_drift(features, shifted, quiet).status == "warning"
    assert detect_drift(features, shifted, {}).status == "warning"
    assert detect_drift(features, quiet, shifted).status == "ok"
    drift = detect_drift(features, shifted, shifted)
    assert drift.status == "drift"
    assert [feature.status for feature in drift.features] == ["drift", "ok", "ok"]


def test_two_windows_with_different_features_beyond_chance_are_no_drift(features: list[ReferenceFeature]) -> None:
    now = counts(brightness=SHIFTED, contrast=even(500), saturation=even(500))
    before = counts(brightness=even(500), contrast=SHIFTED, saturation=even(500))
    assert detect_drift(features, now, before).status == "warning"


def test_a_feature_is_beyond_chance_exactly_if_its_psi_reaches_its_threshold(features: list[ReferenceFeature]) -> None:
    rng = np.random.default_rng(11)
    for strength in np.linspace(0, 2, 50):
        shares = np.linspace(1, 1 + strength, BINS)
        current = counts(**{name: rng.multinomial(500, shares / shares.sum()) for name in FEATURES})
        for feature in detect_drift(features, current, {}).features:
            assert feature.psi is not None
            assert feature.threshold is not None
            assert (feature.status == "warning") == (feature.psi >= feature.threshold)


def test_there_is_no_verdict_on_few_events(features: list[ReferenceFeature]) -> None:
    few = counts(**dict.fromkeys(FEATURES, [MINIMUM_EVENTS - 1] + [0] * (BINS - 1)))
    drift = detect_drift(features, few, few)
    assert (drift.status, drift.window_size) == ("insufficient_data", MINIMUM_EVENTS - 1)
    assert {(feature.status, feature.psi, feature.p_value) for feature in drift.features} == {
        ("insufficient_data", None, None)
    }


def test_without_a_reference_there_is_no_verdict() -> None:
    drift = detect_drift([], {}, {})
    assert (drift.status, drift.window_size, drift.features) == ("insufficient_data", 0, [])
