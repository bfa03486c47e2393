"""A window of real traffic as the reference: what was counted in it, and how large the PSI gets by chance.

Real traffic has what pictures from a training set cannot show: shapes, sizes and file formats. The bins are those that
are counted all the time, so a window can be adopted after the fact, and compared with from then on.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from monitor.aggregates import TRAFFIC_FEATURES, Bins, histogram
from monitor.drift import population_stability_index
from monitor.manifests import Manifest, ReferenceFeature

MINIMUM_EVENTS = 1000
PROBABILITIES = (0.5, 0.9, 0.95, 0.99, 0.995, 0.999)
WINDOW_SIZES = (200, 500, 1000, 2000, 5000, 10_000, 50_000)
REPLICATES = 10_000
SEED = 20
NORMAL_FROM_VARIANCE = 25.0
"""A binomial of this variance is drawn from the normal distribution, rounded."""


class TooFewEvents(Exception):
    """The window holds too few predictions to say what is usual."""


def features_of_traffic(counts: Mapping[str, int], manifest: Manifest, *, replicates: int = REPLICATES) -> list[Any]:
    """The features of a window's counts as a manifest writes them, traffic's own included.

    Raises: TooFewEvents.
    """
    events = counts.get("events", 0)
    if events < MINIMUM_EVENTS:
        raise TooFewEvents(f"the window holds {events} predictions; a reference needs {MINIMUM_EVENTS}")
    features: Sequence[ReferenceFeature | Bins] = (*manifest.features, *TRAFFIC_FEATURES)
    rng = random.Random(SEED)  # noqa: S311 - the same window has the same thresholds
    written = []
    for feature in features:
        found = histogram(counts, f"feature:{feature.name}", len(feature.bin_edges) - 1)
        if sum(found) >= MINIMUM_EVENTS:
            written.append(
                {
                    "name": feature.name,
                    "bin_edges": feature.bin_edges,
                    "categories": feature.categories,
                    "counts": found,
                    "psi_null": {
                        "probabilities": PROBABILITIES,
                        "window_sizes": WINDOW_SIZES,
                        "quantiles": psi_null_quantiles(found, replicates, rng),
                    },
                }
            )
    return written


def psi_null_quantiles(counts: Sequence[int], replicates: int, rng: random.Random) -> list[list[float]]:
    """Quantiles of the PSI without drift, one row a window size, by a bootstrap of both the reference and the window.

    Drawing the window alone would take the reference for the exact truth. Half a count is added to every bin that is
    drawn from: what was never seen is rare, not impossible.
    """
    reference_size = sum(counts)
    shares = [(count + 0.5) / (reference_size + len(counts) / 2) for count in counts]
    references = [_multinomial(reference_size, shares, rng) for _ in range(replicates)]
    rows = []
    for size in WINDOW_SIZES:
        psis = sorted(
            population_stability_index(reference, _multinomial(size, shares, rng)) for reference in references
        )
        rows.append([_quantile(psis, probability) for probability in PROBABILITIES])
    return rows


def _multinomial(trials: int, shares: Sequence[float], rng: random.Random) -> list[int]:
    remaining, drawn = trials, []
    shares_left = list(accumulate(reversed(shares)))[::-1]
    for share, left in zip(shares[:-1], shares_left, strict=False):
        drawn.append(_binomial(remaining, min(share / left, 1.0), rng))
        remaining -= drawn[-1]
    return [*drawn, remaining]


def _binomial(trials: int, probability: float, rng: random.Random) -> int:
    """Of few by counting the gaps between successes (Devroye 1986, chapter X.4); of many by the normal limit."""
    if probability > 0.5:
        return trials - _binomial(trials, 1 - probability, rng)
    if not trials or not probability:
        return 0
    mean = trials * probability
    if mean * (1 - probability) > NORMAL_FROM_VARIANCE:
        return min(max(round(rng.gauss(mean, math.sqrt(mean * (1 - probability)))), 0), trials)
    successes, position, log_failure = 0, 0, math.log1p(-probability)
    while True:
        position += 1 + int(min(math.log(1 - rng.random()) / log_failure, trials))
        if position > trials:
            return successes
        successes += 1


def _quantile(values: Sequence[float], probability: float) -> float:
    """The quantile of sorted values, linear between neighbours."""
    rank = probability * (len(values) - 1)
    below, above = values[math.floor(rank)], values[math.ceil(rank)]
    return below + (above - below) * (rank - math.floor(rank))
