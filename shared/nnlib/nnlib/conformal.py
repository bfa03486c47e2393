"""How sure is sure enough: the "not sure" band, with a coverage that can be stated.

A label is plausible where 1 - p(label) is at most a threshold. The threshold is chosen on held-back pictures so that
the plausible labels of a new picture of the same kind contain the true one with probability `coverage` at least. An
answer is certain where exactly one label is plausible.

Source: split conformal prediction; Angelopoulos and Bates 2021, "A Gentle Introduction to Conformal Prediction and
Distribution-Free Uncertainty Quantification", sections 1 and 3.
"""

import math

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array, check_shape


def conformal_threshold(
    cat_probability: Array, targets: Array, *, coverage: float, weights: Array | None = None
) -> float:
    """The ceil((n + 1) coverage)-th smallest of the scores 1 - p(true label); 1 where n is too small for it.

    With weights it is a weighted quantile, the new picture having the largest of the weights: the coverage is then
    that of pictures mixed as the weights say, whatever the mix of those it was computed on.

    Shapes: cat_probability (n,), targets (n,), weights (n,).
    Units: cat_probability and coverage 0..1, targets 0 or 1, weights at least 0.
    Source: with weights, Tibshirani et al. 2019, Conformal Prediction Under Covariate Shift, section 2.
    Raises: ShapeError; ValueError if coverage is not between 0 and 1.
    """
    check_shape(cat_probability, ("samples",))
    check_shape(targets, cat_probability.shape)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage is {coverage}, expected more than 0 and less than 1")
    scores = np.where(targets == 1, 1 - cat_probability, cat_probability)
    if weights is None:
        weights = np.ones(len(targets))
    order = np.argsort(scores)
    up_to = np.cumsum(weights[order])
    needed = coverage * (up_to[-1] + weights.max()) if len(targets) else math.inf
    rank = int(np.searchsorted(up_to, needed * (1 - 1e-12)))  # a sum of weights may miss a whole number by a rounding
    return float(scores[order[rank]]) if rank < len(targets) else 1.0


def is_certain(cat_probability: Array, threshold: float) -> npt.NDArray[np.bool_]:
    """Whether exactly one label is plausible.

    Shapes: cat_probability and result (batch,).
    """
    cat_is_plausible = 1 - cat_probability <= threshold
    other_is_plausible = cat_probability <= threshold
    return cat_is_plausible ^ other_is_plausible
