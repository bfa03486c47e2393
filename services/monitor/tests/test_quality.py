"""The accuracy that the probabilities promise, with an interval that holds what it says."""

from collections import Counter

import numpy as np
import pytest
from monitor.aggregates import Counts, count_event
from monitor.manifests import Manifest
from monitor.quality import estimate_accuracy

from services.monitor.tests.examples import event

MODEL = Manifest("catnet-mlp", "1")


def test_without_predictions_there_is_no_estimate() -> None:
    assert estimate_accuracy({}) is None


def test_a_model_that_is_always_sure_is_estimated_to_be_always_right() -> None:
    counts: Counts = Counter()
    for number in range(10):
        count_event(counts, event(number, cat_probability=1.0), MODEL)
    accuracy = estimate_accuracy(counts)
    assert accuracy is not None
    assert (accuracy.low, accuracy.value, accuracy.high) == (1.0, 1.0, 1.0)


def test_the_interval_holds_the_true_accuracy_in_95_of_100_windows() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(300):
        counts: Counts = Counter()
        probabilities = rng.uniform(size=200)
        for probability in probabilities.tolist():
            count_event(
                counts, event(cat_probability=probability, label="cat" if probability >= 0.5 else "non-cat"), MODEL
            )
        are_cats = rng.uniform(size=200) < probabilities
        accuracy = estimate_accuracy(counts)
        assert accuracy is not None
        inside += accuracy.low <= np.mean(are_cats == (probabilities >= 0.5)) <= accuracy.high
    assert inside / 300 == pytest.approx(0.95, abs=0.04)
