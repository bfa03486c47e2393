"""Calibration figures against cases whose answer is known."""

import numpy as np
import pytest
from nnlib.calibration import balance_classes, fit_temperature, reliability
from nnlib.losses import sigmoid

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
