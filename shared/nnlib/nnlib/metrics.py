"""How good the answers are, beyond the loss."""

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array, check_shape

DECISION_THRESHOLD = 0.5


def confusion_matrix(cat_probability: Array, targets: Array) -> npt.NDArray[np.int64]:
    """Count pictures by what they are and what the model says.

    Shapes: cat_probability (samples,), targets (samples,), result (2, 2): [is cat][is called cat].
    Raises: ShapeError.
    """
    check_shape(cat_probability, ("samples",))
    check_shape(targets, cat_probability.shape)
    called_cat = cat_probability > DECISION_THRESHOLD
    return np.bincount(2 * (targets == 1) + called_cat, minlength=4).reshape(2, 2)


def roc_auc(cat_probability: Array, targets: Array) -> float:
    """Probability that a random cat gets a higher probability than a random non-cat, a tie counting one half.

    Shapes: cat_probability (samples,), targets (samples,).
    Raises: ShapeError; ValueError if one of the classes is absent.
    Source: Mann-Whitney U over the product of the class sizes; Hanley and McNeil 1982,
    doi:10.1148/radiology.143.1.7063747.
    """
    check_shape(targets, cat_probability.shape)
    is_cat = targets == 1
    cats, others = int(is_cat.sum()), int((~is_cat).sum())
    if not cats or not others:
        raise ValueError("the ROC curve needs both cats and non-cats")
    _, position, count = np.unique(cat_probability, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2  # equal values share the mean of their ranks
    return float((mean_rank[position][is_cat].sum() - cats * (cats + 1) / 2) / (cats * others))


def evaluate(cat_probability: Array, targets: Array) -> dict[str, float | int]:
    """The figures that a manifest states for a data set.

    Shapes: cat_probability (samples,), targets (samples,).
    Returns: images, accuracy, balanced_accuracy (mean of the two classes' recall), roc_auc, always_cat_accuracy (what
    answering "cat" without looking gets).
    Raises: ShapeError; ValueError if one of the classes is absent.
    """
    area = roc_auc(cat_probability, targets)
    confusion = confusion_matrix(cat_probability, targets)
    by_class = confusion.sum(axis=1)
    return {
        "images": len(targets),
        "accuracy": float(np.trace(confusion) / len(targets)),
        "balanced_accuracy": float(np.mean(np.diagonal(confusion) / by_class)),
        "roc_auc": area,
        "always_cat_accuracy": float(by_class[1] / len(targets)),
    }
