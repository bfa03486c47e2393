"""Are the probabilities what they say? Of all pictures called 0.8, eight in ten should be cats.

Cats and others count the same here, whatever their numbers: a model trained on halves gives the probability that a
picture is a cat where cats are as common as everything else.
"""

from dataclasses import dataclass

import numpy as np

from nnlib.arrays import Array, check_shape
from nnlib.losses import sigmoid

BINS = 15
_HIGHEST_TEMPERATURE = 100.0
_NEWTON_STEPS = 30


@dataclass(frozen=True)
class Reliability:
    """What was said and what was true, by bins of equal width of cat_probability.

    Shapes: all (bins,). Units: weight adds up to 1; said and true are means 0..1, NaN in an empty bin.
    """

    weight: Array
    said: Array
    true: Array

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance between said and true, weighted by how many pictures there are.

        Source: Naeini, Cooper and Hauskrecht 2015, Obtaining Well Calibrated Probabilities Using Bayesian Binning.
        """
        filled = self.weight > 0
        return float(self.weight[filled] @ np.abs(self.said - self.true)[filled])


def balance_classes(targets: Array, weights: Array | None = None) -> Array:
    """One weight a picture, so that each class weighs one half; within a class all the same, or as `weights` say.

    Shapes: targets, weights and result (samples,).
    Raises: ValueError if one of the classes is absent.
    """
    is_cat = targets == 1
    weights = np.ones(len(targets)) if weights is None else weights
    cats, others = float(weights[is_cat].sum()), float(weights[~is_cat].sum())
    if not cats or not others:
        raise ValueError("calibration needs both cats and non-cats")
    balanced: Array = weights * np.where(is_cat, 0.5 / cats, 0.5 / others)
    return balanced


def reliability(cat_probability: Array, targets: Array, *, bins: int = BINS) -> Reliability:
    """Bin what a model said, classes weighing the same.

    Shapes: cat_probability (samples,), targets (samples,).
    Raises: ShapeError; ValueError if one of the classes is absent.
    """
    check_shape(cat_probability, ("samples",))
    check_shape(targets, cat_probability.shape)
    weights = balance_classes(targets)
    position = np.minimum((cat_probability * bins).astype(np.int64), bins - 1)
    weight: Array = np.bincount(position, weights, bins).astype(np.float64)
    with np.errstate(invalid="ignore"):
        said = np.bincount(position, weights * cat_probability, bins) / weight
        true = np.bincount(position, weights * targets, bins) / weight
    return Reliability(weight, said, true)


def fit_temperature(logits: Array, targets: Array, *, weights: Array | None = None) -> float:
    """The temperature T > 0 that makes the weighted mean of the loss of sigmoid(logits / T) least.

    The loss is convex in 1 / T, so its slope is brought to 0 by halving an interval.

    Shapes: logits (samples,), targets (samples,), weights (samples,): by default those of balance_classes().
    Raises: ShapeError; ValueError if one of the classes is absent.
    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2.
    """
    check_shape(logits, ("samples",))
    check_shape(targets, logits.shape)
    balanced = balance_classes(targets) if weights is None else weights
    logits = logits.astype(np.float64)

    def slope(inverse: float) -> float:
        return float(balanced @ (logits * (sigmoid(logits * inverse) - targets)))

    low, high = 1 / _HIGHEST_TEMPERATURE, _HIGHEST_TEMPERATURE
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return 1 / float(np.sqrt(low * high))


def fit_temperature_and_offset(logits: Array, targets: Array, weights: Array) -> tuple[float, float]:
    """The T > 0 and c that make the weighted mean of the loss of sigmoid((logits + c) / T) least.

    Where one class is found more easily than the other, no temperature alone can make both kinds of answers true; the
    offset can, and it belongs into the bias of the last layer. The loss is convex in 1 / T and c / T: Newton's steps,
    halved until they improve.

    Shapes: logits (samples,), targets (samples,), weights (samples,).
    Raises: ShapeError; ValueError if one of the classes is absent, or cats do not have the higher logits.
    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines.
    """
    check_shape(logits, ("samples",))
    check_shape(targets, logits.shape)
    check_shape(weights, logits.shape)
    weights = weights / weights.sum()
    if not 0 < float(weights @ targets) < 1:
        raise ValueError("calibration needs both cats and non-cats")
    terms = np.stack([logits.astype(np.float64), np.ones(len(logits))])
    signs = np.where(targets == 1, -1.0, 1.0)

    def loss(scales: Array) -> float:
        return float(weights @ np.logaddexp(0, signs * (scales @ terms)))

    scales = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        said = sigmoid(scales @ terms)
        gradient = terms @ (weights * (said - targets))
        curvature = (terms * (weights * said * (1 - said))) @ terms.T
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        while loss(scales - step) > loss(scales):
            step = step / 2
        scales = scales - step
    if scales[0] <= 0:
        raise ValueError("calibration needs logits that are higher for cats")
    return float(1 / scales[0]), float(scales[1] / scales[0])
