"""The detectors that are examined: the monitor's, and two common rules, on the same reference and windows."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import numpy as np
from monitor.drift import detect_drift, population_stability_index
from monitor.manifests import PsiNull, ReferenceFeature
from scipy import stats

from benchmarks.drift_features import FEATURES, Table
from training.reference import PROBABILITIES, count_bins, psi_null_quantiles

BINS = 10
WINDOW_SIZES = (200, 500, 2000)
DETECTORS = (
    THIS_WINDOW := "catnet, this window",
    TWO_IN_A_ROW := "catnet, two in a row",
    FIXED_PSI := "any PSI > 0.1",
    FIXED_KS := "any KS at 0.05",
)


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


class Detectors:
    """All detectors that need no other environment, on one reference."""

    def __init__(self, reference: Table) -> None:
        self._catnet = Catnet(reference)
        self._sorted_reference = np.sort(reference, axis=0)

    def alarming(self, window: Table, before: Table, among: Collection[str] = DETECTORS) -> set[str]:
        """Those that alarm at a window, or at it and the one before it."""
        alarming = set()
        if THIS_WINDOW in among or TWO_IN_A_ROW in among:
            status = self._catnet.status(window, before)
            alarming |= {"warning": {THIS_WINDOW}, "drift": {THIS_WINDOW, TWO_IN_A_ROW}}.get(status, set())
        if FIXED_PSI in among and self._catnet.largest_psi(window) > 0.1:
            alarming.add(FIXED_PSI)
        if FIXED_KS in among and self._smallest_ks_p_value(window) < 0.05:
            alarming.add(FIXED_KS)
        return alarming & set(among)

    def _smallest_ks_p_value(self, window: Table) -> float:
        pairs = zip(self._sorted_reference.T, window.T, strict=True)
        return min(float(stats.ks_2samp(one, other, method="asymp").pvalue) for one, other in pairs)


@lru_cache
def _null(counts: tuple[int, ...]) -> PsiNull:
    rng = np.random.default_rng(0)
    quantiles = [tuple(psi_null_quantiles(np.array(counts), size, rng=rng)) for size in WINDOW_SIZES]
    return PsiNull(PROBABILITIES, WINDOW_SIZES, tuple(quantiles))
