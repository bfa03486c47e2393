import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlib.conformal import conformal_threshold, is_certain
from nnlib.errors import ShapeError


def test_the_threshold_is_the_right_order_statistic():
    cat_probability, targets = np.array([0.9, 0.2, 0.7, 0.6]), np.array([1.0, 0, 1, 0])
    # scores, sorted: 0.1 0.2 0.3 0.6; rank ceil(5 * 0.5) = 3
    assert conformal_threshold(cat_probability, targets, coverage=0.5) == pytest.approx(0.3)


def test_too_few_samples_for_the_coverage_leave_every_label_plausible():
    threshold = conformal_threshold(np.array([0.9, 0.1]), np.array([1.0, 0]), coverage=0.9)
    assert threshold == 1
    assert not is_certain(np.array([0.0, 0.5, 1.0]), threshold).any()


@pytest.mark.parametrize("skill", [0.0, 1.0, 3.0], ids=["guessing", "weak", "good"])
def test_new_samples_are_covered_as_promised_however_good_the_model(skill):
    """Averaged over calibration sets, coverage is between 0.9 and 0.9 + 1 / (n + 1)."""
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(400):
        targets = rng.integers(0, 2, 400).astype(float)
        cat_probability = 1 / (1 + np.exp(-skill * (2 * targets - 1) - 2 * rng.normal(size=400)))
        threshold = conformal_threshold(cat_probability[:100], targets[:100], coverage=0.9)
        score = np.where(targets[100:] == 1, 1 - cat_probability[100:], cat_probability[100:])
        covered.append(np.mean(score <= threshold))
    assert np.mean(covered) == pytest.approx(0.9 + 0.5 / 101, abs=0.01)


@given(st.floats(0, 1), st.floats(0, 1))
def test_certain_is_exactly_one_plausible_label(cat_probability, threshold):
    plausible = [1 - cat_probability <= threshold, cat_probability <= threshold]
    assert is_certain(np.array([cat_probability]), threshold)[0] == (sum(plausible) == 1)


def test_nonsense_is_refused():
    with pytest.raises(ShapeError):
        conformal_threshold(np.zeros(3), np.zeros(2), coverage=0.9)
    for coverage in (0, 1, -1, 90):
        with pytest.raises(ValueError, match="coverage"):
            conformal_threshold(np.zeros(3), np.zeros(3), coverage=coverage)


@given(st.integers(1, 30), st.integers(0, 2**32))
def test_equal_weights_are_no_weights(samples, seed):
    rng = np.random.default_rng(seed)
    said, targets = rng.random(samples), rng.integers(0, 2, samples)
    for coverage in (0.5, 0.8, 0.9):
        plain = conformal_threshold(said, targets, coverage=coverage)
        assert conformal_threshold(said, targets, coverage=coverage, weights=np.full(samples, 0.3)) == plain


def test_a_weight_of_two_counts_as_two_pictures_and_one_of_zero_as_none():
    said = np.linspace(0.01, 0.99, 99)
    weights = np.where(said < 0.5, 2.0, 0.0)  # targets 0: the score is what was said
    assert conformal_threshold(said, np.zeros(99), coverage=0.5, weights=weights) == pytest.approx(0.25)
