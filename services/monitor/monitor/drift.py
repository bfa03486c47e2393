"""Whether traffic still looks like the reference, with a stated false-alarm rate.

A feature's effect size is the population stability index of its bins. How large that gets by chance depends on the size
of the window, so its p-value comes from the bootstrap in the manifest at that size, and the p-values of all features
are judged together. One window beyond chance is a warning, two in a row are drift.

Sources: Yurdakul and Naranjo 2020, doi:10.21314/JRMV.2020.227 (why fixed thresholds fail);
Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x (the correction).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from monitor.aggregates import histogram
from monitor.manifests import PsiNull, ReferenceFeature

Status = Literal["insufficient_data", "ok", "warning", "drift"]
STATUSES: tuple[Status, ...] = ("insufficient_data", "ok", "warning", "drift")
"""From least to most alarming."""

MINIMUM_EVENTS = 200
FALSE_ALARM_RATE = 0.01
"""Of one window: at most."""
JUDGED_RATE = FALSE_ALARM_RATE / 2
"""What the thresholds are set for. The bootstrap's tail is an estimate too: of its 20,000 draws 20 are beyond the last
quantile, give or take nine in 95 of 100 bootstraps, so thresholds for the stated rate itself would miss it at some
sizes of window."""


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature in one window; ``psi``, ``threshold`` and ``p_value`` are None while there are too few events."""

    reference: ReferenceFeature
    current: Sequence[int]
    status: Status = "insufficient_data"
    psi: float | None = None
    threshold: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    status: Status
    window_size: int
    features: Sequence[FeatureDrift]


@dataclass(frozen=True, slots=True)
class _Judgement:
    psi: float
    threshold: float
    p_value: float
    is_beyond_chance: bool


def detect_drift(
    features: Sequence[ReferenceFeature], current: Mapping[str, int], previous: Mapping[str, int]
) -> Drift:
    """Compare the counts of a window, and of the window before it, with the reference."""
    now, before = _judge(features, current), _judge(features, previous)
    results = []
    for feature in features:
        counts = _counts(feature, current)
        judgement = now.get(feature.name)
        if judgement is None:
            results.append(FeatureDrift(feature, counts))
            continue
        status: Status = "ok"
        if judgement.is_beyond_chance:
            status = "drift" if feature.name in before and before[feature.name].is_beyond_chance else "warning"
        results.append(FeatureDrift(feature, counts, status, judgement.psi, judgement.threshold, judgement.p_value))
    statuses: list[Status] = ["insufficient_data", *(result.status for result in results)]
    return Drift(
        max(statuses, key=STATUSES.index), max((sum(result.current) for result in results), default=0), results
    )


def population_stability_index(reference: Sequence[int], current: Sequence[int]) -> float:
    """PSI = sum over bins of (c - r) ln(c / r), c and r being the shares of current and reference.

    Half a count is added to every bin of both, so that an empty bin is rare rather than impossible; the bootstrap in
    the manifest does the same.
    """
    reference_total = sum(reference) + len(reference) / 2
    current_total = sum(current) + len(current) / 2
    psi = 0.0
    for r, c in zip(reference, current, strict=True):
        reference_share, current_share = (r + 0.5) / reference_total, (c + 0.5) / current_total
        psi += (current_share - reference_share) * math.log(current_share / reference_share)
    return psi


def null_quantiles(null: PsiNull, window_size: int) -> list[float]:
    """Quantiles of the PSI without drift for a window of this size, between sizes along the line in log-log.

    Beyond the sizes of the bootstrap those of the nearest hold: a larger window is judged by a threshold that is a
    little too high.
    """
    sizes = null.window_sizes
    size = min(max(window_size, sizes[0]), sizes[-1])
    above = max(bisect_left(sizes, size), 1)
    lower, upper = null.quantiles[above - 1], null.quantiles[above]
    weight = math.log(size / sizes[above - 1]) / math.log(sizes[above] / sizes[above - 1])
    return [
        math.exp((1 - weight) * math.log(max(low, 1e-12)) + weight * math.log(max(high, 1e-12)))
        for low, high in zip(lower, upper, strict=True)
    ]


def p_value_of(psi: float, probabilities: Sequence[float], quantiles: Sequence[float]) -> float:
    """How often a window without drift has at least this PSI.

    Without drift the PSI is nearly a chi-squared variable times a number, so it is taken as linear in that variable
    between the quantiles, below the first, and beyond the last.
    """
    (x0, y0), (x1, y1) = _segment(_points(probabilities, quantiles), psi, coordinate=0)
    return chi_squared_tail(y0 + (y1 - y0) * (psi - x0) / max(x1 - x0, 1e-12))


def psi_at(p_value: float, probabilities: Sequence[float], quantiles: Sequence[float]) -> float:
    """The PSI that has this p-value: the inverse of ``p_value_of``."""
    value = chi_squared_at(p_value)
    (x0, y0), (x1, y1) = _segment(_points(probabilities, quantiles), value, coordinate=1)
    return x0 + (x1 - x0) * (value - y0) / (y1 - y0)


def chi_squared_tail(value: float) -> float:
    """P(X > value) of a chi-squared X with nine degrees of freedom: a reference has ten bins.

    Source: Abramowitz and Stegun 1964, 26.4.4.
    """
    half = value / 2
    tail = math.erfc(math.sqrt(half))
    term = 2 * math.sqrt(half / math.pi) * math.exp(-half)
    for order in (1.5, 2.5, 3.5, 4.5):
        tail += term
        term *= half / order
    return min(tail, 1.0)


@lru_cache(maxsize=256)
def chi_squared_at(tail: float) -> float:
    """The value that X exceeds with this probability: the inverse of ``chi_squared_tail``, by bisection."""
    low, high = 0.0, 1500.0  # there the tail is less than a float can say
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (middle, high) if chi_squared_tail(middle) > tail else (low, middle)
    return high


def critical_p_values(p_values: Sequence[float], false_alarm_rate: float) -> list[float]:
    """The largest p-value with which each test would be a discovery, the others staying as they are.

    Benjamini-Hochberg makes discoveries of the k smallest, with the largest k whose k-th p-value is at most k / m of
    the rate. A test with p-value 0 is always one of them: the k of that case, over m, is its share of the rate.
    """
    m = len(p_values)

    def discoveries(values: Sequence[float]) -> int:
        return max((k for k, p in enumerate(sorted(values), 1) if p <= false_alarm_rate * k / m), default=0)

    return [false_alarm_rate * discoveries([*p_values[:i], 0.0, *p_values[i + 1 :]]) / m for i in range(m)]


def _judge(features: Sequence[ReferenceFeature], counts: Mapping[str, int]) -> dict[str, _Judgement]:
    """The features that have enough events, judged together."""
    judged = [(f, current) for f in features if sum(current := _counts(f, counts)) >= MINIMUM_EVENTS]
    psis = [population_stability_index(f.counts, current) for f, current in judged]
    nulls = [null_quantiles(f.psi_null, sum(current)) for f, current in judged]
    p_values = [
        p_value_of(psi, f.psi_null.probabilities, null) for (f, _), psi, null in zip(judged, psis, nulls, strict=True)
    ]
    bars = critical_p_values(p_values, JUDGED_RATE)
    return {
        f.name: _Judgement(psi, psi_at(bar, f.psi_null.probabilities, null), p_value, p_value <= bar)
        for (f, _), psi, null, p_value, bar in zip(judged, psis, nulls, p_values, bars, strict=True)
    }


def _counts(feature: ReferenceFeature, counts: Mapping[str, int]) -> list[int]:
    return histogram(counts, f"feature:{feature.name}", len(feature.counts))


def _points(probabilities: Sequence[float], quantiles: Sequence[float]) -> list[tuple[float, float]]:
    """Each quantile of the PSI beside the same one of X."""
    return [(0.0, 0.0), *((q, chi_squared_at(1 - p)) for p, q in zip(probabilities, quantiles, strict=True))]


def _segment(
    points: Sequence[tuple[float, float]], value: float, *, coordinate: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The neighbouring points between which a coordinate has this value; the last two beyond the end."""
    for below, above in pairwise(points):
        if value <= above[coordinate]:
            return below, above
    return points[-2], points[-1]
