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


def conformal_threshold(cat_probability: Array, targets: Array, *, coverage: float) -> float:
    """The ceil((n + 1) coverage)-th smallest of the scores 1 - p(true label); 1 where n is too small for it.

    Shapes: cat_probability (n,), targets (n,).
    Units: cat_probability and coverage 0..1, targets 0 or 1.
    Raises: ShapeError; ValueError if coverage is not between 0 and 1.
    """
    check_shape(cat_probability, ("samples",))
    check_shape(targets, cat_probability.shape)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage is {coverage}, expected more than 0 and less than 1")
    rank = math.ceil((len(targets) + 1) * coverage)
    if rank > len(targets):
        return 1.0
    scores = np.where(targets == 1, 1 - cat_probability, cat_probability)
    return float(np.partition(scores, rank - 1)[rank - 1])


def is_certain(cat_probability: Array, threshold: float) -> npt.NDArray[np.bool_]:
    """Whether exactly one label is plausible.

    Shapes: cat_probability and result (batch,).
    """
    cat_is_plausible = 1 - cat_probability <= threshold
    other_is_plausible = cat_probability <= threshold
    return cat_is_plausible ^ other_is_plausible
