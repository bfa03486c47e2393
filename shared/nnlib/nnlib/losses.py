"""What training makes small, and the step from a logit to a probability."""

import numpy as np

from nnlib.arrays import Array, check_shape


def sigmoid(logits: Array) -> Array:
    """Probability of class 1: 1 / (1 + exp(-logits)), written so that no logit overflows.

    Shapes: any; the result has the same. Units: probability 0..1, in the dtype of the logits.
    """
    probabilities: Array = np.exp(-np.logaddexp(0, -logits))
    return probabilities


def binary_cross_entropy(logits: Array, targets: Array) -> tuple[float, Array]:
    """Mean over the minibatch of log(1 + exp(logit)) - target * logit, and its gradient.

    This is -target * log(p) - (1 - target) * log(1 - p) with p = sigmoid(logit), without ever taking the log of a
    rounded probability.

    Shapes: logits (batch, 1), targets (batch,), gradient (batch, 1).
    Units: targets 0 or 1 (or a probability between), loss in nats.
    Returns: the loss, and its gradient with respect to the logits.
    Raises: ShapeError if the two do not fit.
    """
    check_shape(targets, ("batch",))
    check_shape(logits, (len(targets), 1))
    column = targets[:, np.newaxis]
    loss = np.mean(np.logaddexp(0, logits) - column * logits)
    return float(loss), (sigmoid(logits) - column) / len(targets)


def smooth_labels(targets: Array, smoothing: float) -> Array:
    """Targets moved from 0 and 1 towards one half, so that no logit is driven to infinity.

    Units: smoothing 0..1, the distance between the two targets that is taken away.
    Source: Szegedy et al. 2016, Rethinking the Inception Architecture, section 7.
    """
    return targets * (1 - smoothing) + smoothing / 2
