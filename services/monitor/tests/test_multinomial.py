"""Binomials and multinomials are drawn as they are distributed."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.multinomial import NORMAL_FROM_VARIANCE, Multinomial, _distribution, draw_binomial
from scipy import stats


@given(st.integers(0, 300), st.floats(0, 1), st.integers(0, 1000))
def test_a_binomial_is_within_its_range(trials: int, probability: float, seed: int) -> None:
    assert 0 <= draw_binomial(trials, probability, random.Random(seed)) <= trials


@given(st.integers(0, 50_000), st.floats(0, 0.5))
def test_what_is_inverted_is_the_distribution_function(trials: int, probability: float) -> None:
    if probability * trials:
        probability = min(probability, NORMAL_FROM_VARIANCE / trials)
    distribution = _distribution(trials, probability)
    exact = stats.binom(trials, probability)
    assert distribution == pytest.approx(exact.cdf(range(len(distribution))), rel=1e-9, abs=1e-300)
    assert exact.sf(len(distribution) - 1) < 1e-14


@pytest.mark.parametrize(("trials", "probability"), [(10, 0.3), (200, 0.02), (200, 0.1), (5000, 0.6), (50_000, 0.9)])
def test_binomials_have_the_mean_and_variance_they_should(trials: int, probability: float) -> None:
    rng = random.Random(trials)
    drawn = [draw_binomial(trials, probability, rng) for _ in range(4000)]
    exact = stats.binom(trials, probability)
    assert np.mean(drawn) == pytest.approx(exact.mean(), abs=5 * exact.std() / np.sqrt(4000))
    assert np.var(drawn) == pytest.approx(exact.var(), rel=0.15)


def test_a_multinomial_spends_all_trials_as_the_weights_say() -> None:
    multinomial = Multinomial([50, 25, 20, 5, 0.01], random.Random(3))
    drawn = np.array([multinomial.draw(400) for _ in range(2000)])
    assert (drawn.sum(axis=1) == 400).all()
    assert drawn.mean(axis=0) == pytest.approx(np.array([200, 100, 80, 20, 0.04]), abs=1.5)
    assert np.cov(drawn.T)[0, 1] == pytest.approx(-400 * 0.5 * 0.25, rel=0.15)
