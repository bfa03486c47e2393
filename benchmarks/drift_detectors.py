"""The detectors that are examined: the monitor's, and two common rules, on the same reference and windows."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from monitor.drift import detect_drift, population_stability_index
from monitor.manifests import PsiNull, ReferenceFeature
from scipy import stats

from benchmarks.drift_features import FEATURES, Table
from training.reference import PROBABILITIES, count_bins, psi_null_quantiles

BINS = 10
WINDOW_SIZES = (200, 500, 2000)
FIXED_PSI = 0.1
KS_LEVEL = 0.05

Alarms = Callable[[Table, Table], bool]
"""Of a window and the one before it."""


class Catnet:
    """The monitor's own detector, with a reference that is made as training makes it."""

    def __init__(self, reference: Table) -> None:
        self._edges = [np.quantile(column, np.linspace(0, 1, BINS + 1)) for column in reference.T]
        counts = [count_bins(column, edges) for column, edges in zip(reference.T, self._edges, strict=True)]
        self.features = [
            ReferenceFeature(name, tuple(edges), tuple(map(int, count)), _null(tuple(map(int, count))))
            for name, edges, count in zip(FEATURES, self._edges, counts, strict=True)
        ]

    def status(self, window: Table, before: Table) -> str:
        return detect_drift(self.features, self._counts(window), self._counts(before)).status

    def largest_psi(self, window: Table) -> float:
        return max(
            population_stability_index(feature.counts, count_bins(column, edges).tolist())
            for feature, column, edges in zip(self.features, window.T, self._edges, strict=True)
        )

    def _counts(self, window: Table) -> dict[str, int]:
        return {
            f"feature:{name}:{number}": int(count)
            for name, column, edges in zip(FEATURES, window.T, self._edges, strict=True)
            for number, count in enumerate(count_bins(column, edges))
        }


def detectors(reference: Table) -> dict[str, Alarms]:
    """Every detector by name, ready to be asked whether it alarms."""
    catnet = Catnet(reference)
    sorted_reference = np.sort(reference, axis=0)

    def ks_alarms(window: Table, before: Table) -> bool:
        pairs = zip(sorted_reference.T, window.T, strict=True)
        return any(stats.ks_2samp(one, other, method="asymp").pvalue < KS_LEVEL for one, other in pairs)

    return {
        "catnet, this window": lambda window, before: catnet.status(window, before) in ("warning", "drift"),
        "catnet, two in a row": lambda window, before: catnet.status(window, before) == "drift",
        "any PSI > 0.1": lambda window, before: catnet.largest_psi(window) > FIXED_PSI,
        "any KS at 0.05": ks_alarms,
    }


@lru_cache
def _null(counts: tuple[int, ...]) -> PsiNull:
    rng = np.random.default_rng(0)
    quantiles = [tuple(psi_null_quantiles(np.array(counts), size, rng=rng)) for size in WINDOW_SIZES]
    return PsiNull(PROBABILITIES, WINDOW_SIZES, tuple(quantiles))
