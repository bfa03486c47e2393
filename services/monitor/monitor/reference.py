"""A window of real traffic as the reference: what was counted in it, and how large the PSI gets by chance.

Real traffic has what pictures from a training set cannot show: shapes, sizes and file formats. The bins are those that
are counted all the time, so a window can be adopted after the fact, and compared with from then on.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.aggregates import TRAFFIC_FEATURES, Bins, histogram
from monitor.drift import population_stability_index
from monitor.manifests import Manifest, ReferenceFeature
from monitor.multinomial import Multinomial

MINIMUM_EVENTS = 1000
PROBABILITIES = (0.5, 0.9, 0.95, 0.99, 0.995, 0.999)
WINDOW_SIZES = (200, 500, 1000, 2000, 5000, 10_000, 50_000)
REPLICATES = 10_000
SEED = 20


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
    draw = Multinomial([count + 0.5 for count in counts], rng).draw
    references = [draw(reference_size) for _ in range(replicates)]
    rows = []
    for size in WINDOW_SIZES:
        psis = sorted(population_stability_index(reference, draw(size)) for reference in references)
        rows.append([_quantile(psis, probability) for probability in PROBABILITIES])
    return rows


def _quantile(values: Sequence[float], probability: float) -> float:
    """The quantile of sorted values, linear between neighbours."""
    rank = probability * (len(values) - 1)
    below, above = values[math.floor(rank)], values[math.ceil(rank)]
    return below + (above - below) * (rank - math.floor(rank))
