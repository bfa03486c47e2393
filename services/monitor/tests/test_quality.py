"""Accuracy, estimated and measured, with intervals that hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.quality import estimate_accuracy, judged_predictions, wilson_interval
from scipy import stats


@given(st.integers(1, 2000), st.data())
def test_the_interval_is_wilsons(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    exact = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    share = wilson_interval(successes, trials)
    assert share is not None
    assert (share.value, share.low, share.high) == pytest.approx((successes / trials, exact.low, exact.high), abs=1e-12)


def test_nothing_judged_is_nothing_known() -> None:
    judged = judged_predictions({}, 3)
    assert (judged.count, judged.accuracy, judged.calibration_error) == (0, None, None)
    assert list(judged.calibration) == [None] * 3
    assert wilson_interval(0, 0) is None
    assert estimate_accuracy({}) is None


def test_calibration_is_what_was_said_beside_what_was_so() -> None:
    counts = {
        "feedback:cat:cat": 6,
        "feedback:cat:non-cat": 4,
        "said:0": 4,
        "right:0": 1,
        "said_millionths:0": 4 * 550_000,
        "said:2": 6,
        "right:2": 5,
        "said_millionths:2": 6 * 950_000,
    }
    judged = judged_predictions(counts, 3)
    low, none, high = judged.calibration
    assert low is not None
    assert high is not None
    assert none is None
    said = (low.confidence, low.accuracy.value, high.confidence, high.accuracy.value)
    assert said == pytest.approx((0.55, 0.25, 0.95, 5 / 6))
    assert judged.calibration_error == pytest.approx((4 * 0.3 + 6 * (0.95 - 5 / 6)) / 10)


def test_the_estimate_holds_the_accuracy_of_calibrated_predictions_in_95_of_100_windows() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(1000):
        p = rng.uniform(0.5, 1, 300)
        sums = {"correct_millionths": p.sum(), "correct_variance_millionths": (p * (1 - p)).sum()}
        share = estimate_accuracy({"events": 300, **{name: round(1e6 * value) for name, value in sums.items()}})
        assert share is not None
        held += share.low <= (rng.random(300) < p).mean() <= share.high
    assert 0.93 < held / 1000 < 0.97
