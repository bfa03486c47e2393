"""The drift reference: bins of equal count, and a chance distribution that holds what it states."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import rel_entr

from training import reference
from training.reference import (
    PROBABILITIES,
    WINDOW_SIZES,
    build_reference,
    count_bins,
    describe_feature,
    population_stability_index,
    psi_null_quantiles,
)

RNG = np.random.default_rng(0)
COUNTS = arrays(np.int64, 10, elements=st.integers(0, 1000))


@pytest.fixture(autouse=True)
def fewer_replicates(monkeypatch):
    monkeypatch.setattr(reference, "REPLICATES", 4000)


def test_bins_hold_equal_counts():
    described = describe_feature(RNG.normal(size=2000), rng=RNG)
    assert described["counts"] == [200] * 10
    assert len(described["bin_edges"]) == 11
    assert described["bin_edges"] == sorted(described["bin_edges"])


def test_an_edge_belongs_to_the_bin_above_and_the_outer_bins_are_open():
    edges = np.array([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(count_bins(np.array([-5, 0, 0.9, 1.0, 2.0, 99.0]), edges), [3, 3])


def test_ties_leave_bins_empty_instead_of_failing():
    described = describe_feature(np.array([0.0] * 600 + list(range(400))), rng=RNG)
    assert sum(described["counts"]) == 1000
    assert 0 in described["counts"]
    assert np.isfinite(described["psi_null"]["quantiles"]).all()


@given(COUNTS, COUNTS)
def test_psi_is_the_symmetrised_relative_entropy(first, second):
    shares = [(counts + 0.5) / (counts + 0.5).sum() for counts in (first, second)]
    expected = rel_entr(shares[0], shares[1]).sum() + rel_entr(shares[1], shares[0]).sum()
    assert population_stability_index(first, second) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(COUNTS)
def test_psi_with_itself_is_zero(counts):
    assert population_stability_index(counts, counts) == 0


@pytest.mark.parametrize("window_size", [200, 2000, 50_000])
def test_the_chance_quantiles_hold_what_they_state_for_traffic_without_drift(window_size):
    """Reference and traffic are both drawn from one true distribution; the reference is itself only a sample."""
    rng = np.random.default_rng(window_size)
    references = np.sort(rng.random((3000, 2000)), axis=1)  # uniform, so an edge is itself the share below it
    edges = np.quantile(references, np.linspace(0, 1, 11)[1:-1], axis=1).T
    windows = rng.multinomial(window_size, np.diff(edges, prepend=0, append=1, axis=1))
    without_drift = population_stability_index(np.full(10, 200), windows)
    quantiles = psi_null_quantiles(np.full(10, 200), window_size, rng=rng)
    for probability, quantile in zip(PROBABILITIES, quantiles, strict=True):
        tail = 1 - probability
        assert np.mean(without_drift > quantile) == pytest.approx(tail, abs=0.15 * tail + 4 * np.sqrt(tail / 3000))


def test_the_chance_level_shrinks_as_the_literature_says():
    for size in WINDOW_SIZES:
        median = psi_null_quantiles(np.full(10, 200), size, rng=RNG)[0]
        assert median == pytest.approx(9 * (1 / size + 1 / 2000), rel=0.15)


def test_quantiles_rise():
    described = describe_feature(RNG.normal(size=1000), rng=RNG)["psi_null"]
    table = np.array(described["quantiles"])
    assert table.shape == (len(WINDOW_SIZES), len(PROBABILITIES))
    assert (np.diff(table, axis=1) > 0).all()
    assert (np.diff(table[:, :4], axis=0) < 0).all()  # the extreme ones are too noisy at so few replicates


def test_a_reference_names_its_features_in_the_agreed_order():
    pixels = RNG.integers(0, 256, (50, 64, 64, 3), dtype=np.uint8)
    hidden = np.array([[3.0, 4.0]] * 50)
    built = build_reference(pixels, RNG.random(50), hidden, sources=["made up"], rng=RNG)
    assert [feature["name"] for feature in built["features"]] == [
        "cat_probability",
        "brightness",
        "contrast",
        "saturation",
        "colour_balance",
        "sharpness",
        "hidden_norm",
    ]
    assert (built["images"], built["sources"]) == (50, ["made up"])
    assert built["features"][-1]["bin_edges"] == [5.0] * 11
