"""Percentiles stay within 1 % of the exact ones, whatever the durations are and however they were split."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from monitor.percentiles import RELATIVE_ERROR, ZERO_BIN, bin_of, percentiles, value_of

SLACK = 1e-9  # of floating point
FRACTIONS = (0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0)

durations = st.floats(1e-6, 3600)


@given(durations)
@example(1e-6)
@example(3600.0)
def test_the_value_of_a_bin_is_within_one_percent_of_all_in_it(seconds: float) -> None:
    assert value_of(bin_of(seconds)) == pytest.approx(seconds, rel=RELATIVE_ERROR + SLACK)


@given(st.lists(durations, min_size=1, max_size=300))
@example([1e-6, 3600.0])
def test_every_percentile_is_within_one_percent_of_the_exact_one(seconds: list[float]) -> None:
    exact = np.quantile(seconds, FRACTIONS)
    assert percentiles(Counter(map(bin_of, seconds)), FRACTIONS) == pytest.approx(exact, rel=RELATIVE_ERROR + SLACK)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 2.5])
def test_heavy_tails_are_no_exception(sigma: float) -> None:
    seconds = np.clip(np.random.default_rng(7).lognormal(-5, sigma, 100_000), 1e-6, 3600)
    counts = Counter(map(bin_of, seconds.tolist()))
    assert percentiles(counts, FRACTIONS) == pytest.approx(np.quantile(seconds, FRACTIONS), rel=RELATIVE_ERROR + SLACK)
    assert len(counts) < 1200


@given(st.lists(durations, max_size=100), st.lists(durations, max_size=100))
def test_the_sum_of_two_sketches_is_the_sketch_of_both(some: list[float], others: list[float]) -> None:
    assert Counter(map(bin_of, some)) + Counter(map(bin_of, others)) == Counter(map(bin_of, some + others))


@given(durations, durations)
def test_longer_durations_never_fall_into_lower_bins(one: float, other: float) -> None:
    assert bin_of(min(one, other)) <= bin_of(max(one, other))


@given(st.floats(0, 0.9e-6))
def test_durations_below_the_resolution_are_zero(seconds: float) -> None:
    assert bin_of(seconds) == ZERO_BIN
    assert value_of(ZERO_BIN) == 0
    assert bin_of(1e-6) > ZERO_BIN


def test_the_bins_cover_an_hour_in_about_eleven_hundred() -> None:
    assert bin_of(3600.0) == math.ceil(math.log(3600e6) / math.log(1.01 / 0.99))


def test_percentiles_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="of nothing"):
        percentiles({}, (0.5,))
