"""A model as it is served: pixels in, a probability out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array, check_shape
from nnlib.losses import sigmoid
from nnlib.manifest import Manifest
from nnlib.network import Network
from nnlib.preprocessing import IMAGE_SIZE


@dataclass(frozen=True)
class Prediction:
    """What a model says of a batch.

    Shapes: cat_probability (batch,), certain (batch,), hidden (batch, units).
    Units: cat_probability float 0..1; certain is False where both labels, or neither, are plausible at the model's
    coverage; hidden holds the activations of the last hidden layer.
    """

    cat_probability: Array
    certain: npt.NDArray[np.bool_]
    hidden: Array


@dataclass(frozen=True)
class Model:
    """A network and its manifest. Safe to use from many threads: predicting changes nothing."""

    network: Network
    manifest: Manifest

    def predict(self, pixels: npt.NDArray[np.uint8]) -> Prediction:
        """Run a batch in float32, keeping no activations.

        Shapes: pixels (batch, 64, 64, 3).
        Units: pixels uint8 0..255.
        Raises: ShapeError.
        """
        check_shape(pixels, ("batch", IMAGE_SIZE, IMAGE_SIZE, 3))
        logits, hidden = self.network.forward_with_hidden(self.manifest.normalization.apply(pixels))
        cat_probability = sigmoid(logits[:, 0] / np.float32(self.manifest.temperature))
        return Prediction(cat_probability, is_certain(cat_probability, self.manifest.threshold), hidden)


def is_certain(cat_probability: Array, threshold: float) -> npt.NDArray[np.bool_]:
    """Whether exactly one label is in the conformal prediction set {label: 1 - p(label) <= threshold}.

    Shapes: cat_probability and result (batch,).
    Source: Angelopoulos and Bates 2021, "A Gentle Introduction to Conformal Prediction", section 1.
    """
    cat_is_plausible = 1 - cat_probability <= threshold
    other_is_plausible = cat_probability <= threshold
    return cat_is_plausible ^ other_is_plausible
