"""What pictures look like without drift: the reference a drift detector compares traffic with.

For every feature it holds ten bins of equal count over held-back pictures, and how large the population stability index
(PSI) of a window gets by chance alone, for several window sizes. A fixed rule such as "PSI > 0.1" raises false alarms
on small windows and is deaf on large ones.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from nnlib.arrays import Array
from nnlib.picture_features import PICTURE_FEATURES, picture_features

BINS = 10
PROBABILITIES = (0.5, 0.9, 0.95, 0.99, 0.995, 0.999)
WINDOW_SIZES = (200, 500, 1000, 2000, 5000, 10000, 50000)
REPLICATES = 20_000
MINIMUM_IMAGES = 1000


def build_reference(
    pixels: npt.NDArray[np.uint8],
    cat_probability: Array,
    hidden: Array,
    *,
    sources: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Describe held-back pictures, and what a model says of them, as the manifest keeps it.

    Shapes: pixels (samples, 64, 64, 3), cat_probability (samples,), hidden (samples, units).
    """
    of_pictures = [picture_features(picture) for picture in pixels]
    values = {
        "cat_probability": cat_probability,
        **{name: np.array([features[name] for features in of_pictures]) for name in PICTURE_FEATURES},
        "hidden_norm": np.linalg.norm(hidden, axis=1),
    }
    return {
        "images": len(pixels),
        "sources": list(sources),
        "features": [{"name": name, **describe_feature(feature, rng=rng)} for name, feature in values.items()],
    }


def describe_feature(values: Array, *, rng: np.random.Generator) -> dict[str, Any]:
    """Bins of equal count, as far as ties allow, and the chance distribution of the PSI over them.

    Shapes: values (samples,).
    """
    edges = np.quantile(values.astype(np.float64), np.linspace(0, 1, BINS + 1))
    counts = count_bins(values, edges)
    return {
        "bin_edges": edges.tolist(),
        "counts": counts.tolist(),
        "psi_null": {
            "probabilities": list(PROBABILITIES),
            "window_sizes": list(WINDOW_SIZES),
            "quantiles": [psi_null_quantiles(counts, size, rng=rng) for size in WINDOW_SIZES],
        },
    }


def count_bins(values: Array, edges: Array) -> npt.NDArray[np.int64]:
    """How many values fall into each bin; the outer bins are open-ended, an edge belongs to the bin above it.

    Shapes: values (samples,), edges (bins + 1,), result (bins,).
    """
    bins = np.searchsorted(edges[1:-1], values.astype(np.float64), side="right")
    return np.bincount(bins, minlength=len(edges) - 1)


def population_stability_index(reference: npt.NDArray[np.int64], window: npt.NDArray[np.int64]) -> Array:
    """PSI = sum over bins of (w - r) log(w / r), r and w being the shares of reference and window.

    Half a count is added to every bin, so that an empty one is rare rather than impossible.

    Shapes: reference and window (..., bins), result (...).
    """
    shares = [(counts + 0.5) / (counts + 0.5).sum(axis=-1, keepdims=True) for counts in (reference, window)]
    psi: Array = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum(axis=-1)
    return psi


def psi_null_quantiles(counts: npt.NDArray[np.int64], window_size: int, *, rng: np.random.Generator) -> list[float]:
    """Quantiles of the PSI when nothing has drifted, by a bootstrap at this window size.

    Window and reference are both drawn anew from the reference. Drawing the window alone would take the reference for
    the exact truth, and a window larger than it would then alarm at nothing.

    Shapes: counts (bins,).
    Returns: one quantile for each of PROBABILITIES.
    Source: Efron and Tibshirani 1993, chapter 16; the PSI's scale without drift is about
    (bins - 1)(1 / window size + 1 / reference size), Yurdakul and Naranjo 2020, doi:10.21314/JRMV.2020.227.
    """
    shares = counts / counts.sum()
    references = rng.multinomial(counts.sum(), shares, size=REPLICATES)
    windows = rng.multinomial(window_size, shares, size=REPLICATES)
    quantiles: list[float] = np.quantile(population_stability_index(references, windows), PROBABILITIES).tolist()
    return quantiles
