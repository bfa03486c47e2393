"""Calibration figures against cases whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlib.calibration import balance_classes, fit_temperature, fit_temperature_and_offset, reliability
from nnlib.losses import sigmoid
from scipy.optimize import minimize

RNG = np.random.default_rng(0)


def drawn(logits):
    """Targets that are cats as often as the logits say."""
    return (RNG.random(len(logits)) < sigmoid(logits)).astype(float)


def symmetric_logits(count=20_000):
    logits = RNG.normal(0, 2, count)
    return np.concatenate([logits, -logits])  # as many cats as others


def test_probabilities_that_are_true_have_next_to_no_calibration_error():
    logits = symmetric_logits()
    assert reliability(sigmoid(logits), drawn(logits)).expected_calibration_error < 0.01


def test_exaggerated_probabilities_have_the_error_that_can_be_worked_out():
    targets = np.array([1.0] * 8 + [0.0] * 2 + [0.0] * 8 + [1.0] * 2)
    said = np.array([0.95] * 10 + [0.05] * 10)
    assert reliability(said, targets).expected_calibration_error == pytest.approx(0.15)


def test_both_classes_weigh_the_same_whatever_their_numbers():
    targets = np.array([1.0] * 3 + [0.0] * 17)
    weights = balance_classes(targets)
    assert weights[targets == 1].sum() == pytest.approx(0.5)
    assert weights.sum() == pytest.approx(1)


def test_probability_1_falls_into_the_last_bin():
    result = reliability(np.array([1.0, 0.0]), np.array([1.0, 0.0]), bins=10)
    assert result.weight[-1] == result.weight[0] == 0.5
    assert result.expected_calibration_error == 0


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_spoiled_the_logits_is_found_again(temperature):
    logits = symmetric_logits()
    assert fit_temperature(logits * temperature, drawn(logits)) == pytest.approx(temperature, rel=0.05)


def test_one_class_alone_is_refused():
    with pytest.raises(ValueError, match="both cats and non-cats"):
        fit_temperature(np.zeros(3), np.ones(3))


@given(st.floats(0.3, 3), st.floats(-2, 2), st.integers(0, 99))
def test_temperature_and_offset_are_those_that_an_independent_minimiser_finds(temperature, offset, seed):
    rng = np.random.default_rng(seed)
    clean = rng.normal(0, 2, 500)
    targets = (rng.random(500) < sigmoid(clean)).astype(float)
    logits, weights = clean * temperature - offset, rng.random(500)

    def loss(scales):
        return weights @ np.logaddexp(0, np.where(targets == 1, -1, 1) * (scales[0] * logits + scales[1]))

    slope, intercept = minimize(loss, [1, 0], method="BFGS", options={"gtol": 1e-7}).x
    found = fit_temperature_and_offset(logits, targets, weights)
    np.testing.assert_allclose(found, (1 / slope, intercept / slope), rtol=1e-3, atol=1e-3)


def test_an_offset_makes_true_what_no_temperature_can():
    logits = symmetric_logits()
    targets = drawn(logits)
    weights = np.ones(len(logits))
    shifted = logits - 1.5
    temperature, offset = fit_temperature_and_offset(shifted, targets, weights)
    with_offset = reliability(sigmoid((shifted + offset) / temperature), targets)
    without = reliability(sigmoid(shifted / fit_temperature(shifted, targets)), targets)
    assert with_offset.expected_calibration_error < 0.01 < 0.1 < without.expected_calibration_error


def test_logits_that_are_higher_for_others_are_refused():
    with pytest.raises(ValueError, match="higher for cats"):
        fit_temperature_and_offset(np.array([2.0, -1.0, 1.0, -2.0]), np.array([0, 1, 1, 1.0]), np.ones(4))
