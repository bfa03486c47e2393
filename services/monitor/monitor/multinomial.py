"""Draw from the multinomial distribution, many thousands of times: bin after bin, each a binomial of what is left.

Source: Davis 1993, The computer generation of multinomial random variates (the conditional method).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

NORMAL_FROM_VARIANCE = 25.0
"""A binomial of this variance is drawn from the normal distribution, rounded."""


class Multinomial:
    """``weights``: of the bins, positive, in any unit."""

    def __init__(self, weights: Sequence[float], rng: random.Random) -> None:
        left = list(accumulate(reversed(weights)))[::-1]
        self._probabilities = [weight / rest for weight, rest in zip(weights[:-1], left, strict=False)]
        """Of each bin but the last, for what came into none before it."""
        self._rng = rng

    def draw(self, trials: int) -> list[int]:
        """So many trials, counted by the bin that each fell into."""
        drawn = []
        for probability in self._probabilities:
            drawn.append(draw_binomial(trials, probability, self._rng))
            trials -= drawn[-1]
        return [*drawn, trials]


def draw_binomial(trials: int, probability: float, rng: random.Random) -> int:
    """The successes among so many trials: by inversion, or where they vary much by the normal limit."""
    if probability > 0.5:
        return trials - draw_binomial(trials, 1 - probability, rng)
    mean = trials * probability
    variance = mean * (1 - probability)
    if variance > NORMAL_FROM_VARIANCE:
        return min(max(round(rng.gauss(mean, math.sqrt(variance))), 0), trials)
    return min(bisect_left(_distribution(trials, probability), rng.random()), trials)


@lru_cache(maxsize=4096)
def _distribution(trials: int, probability: float) -> list[float]:
    """P(successes <= k) for k = 0, 1, ..., as far as it grows. The same ones are asked for over and over."""
    at_k = up_to_k = (1 - probability) ** trials
    distribution = [up_to_k]
    for k in range(1, trials + 1):
        at_k *= (trials - k + 1) / k * probability / (1 - probability)
        if k > trials * probability and up_to_k + at_k == up_to_k:
            break
        up_to_k += at_k
        distribution.append(up_to_k)
    return distribution
