"""Percentiles with a bound on their error, from counts that can be added up.

A duration falls into one of the bins of DDSketch: bin i holds (gamma^(i-1), gamma^i] microseconds, with
gamma = (1 + e) / (1 - e). The value 2 gamma^i / (gamma + 1) is within e of everything in its bin, whatever the
distribution, and the sketch of two streams together is the sum of their sketches, exactly.

Source: Masson, Rim and Lee 2019, DDSketch, section 2, doi:10.14778/3352063.3352135.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

RELATIVE_ERROR = 0.01
ZERO_BIN = -1
"""The bin of durations under a microsecond, the resolution of an event; its value is 0."""

_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)


def bin_of(seconds: float) -> int:
    """The bin that holds a duration."""
    microseconds = seconds * 1e6
    # The tolerance keeps one microsecond, which a float holds as 0.9999999999999999e-6, out of the zero bin.
    return ZERO_BIN if microseconds < 1 - 1e-9 else max(math.ceil(math.log(microseconds) / _LOG_GAMMA), 0)


def value_of(number: int) -> float:
    """The duration that stands for all in a bin: within RELATIVE_ERROR of each. Units: seconds."""
    return 0.0 if number == ZERO_BIN else 2 * _GAMMA**number / (_GAMMA + 1) / 1e6


def percentiles(counts: Mapping[int, int], fractions: Sequence[float]) -> list[float]:
    """Values below which the given fractions (0..1) of the durations lie.

    The rank is fraction * (count - 1), linear between neighbours as in numpy.quantile: both neighbours are known within
    RELATIVE_ERROR, and therefore so is what lies between them.

    Units: seconds.
    Raises: ValueError if there are no counts.
    """
    total = sum(counts.values())
    if not total:
        raise ValueError("percentiles of nothing")
    bins = sorted(counts)
    ends = list(accumulate(counts[number] for number in bins))  # rank just past the last duration of each bin

    def value_at(rank: int) -> float:
        return value_of(bins[bisect_right(ends, rank)])

    values = []
    for fraction in fractions:
        rank = fraction * (total - 1)
        below, above = value_at(math.floor(rank)), value_at(math.ceil(rank))
        values.append(below + (above - below) * (rank - math.floor(rank)))
    return values
