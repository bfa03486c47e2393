"""A model as it is served: pixels in, a probability out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array, check_shape
from nnlib.conformal import is_certain
from nnlib.losses import sigmoid
from nnlib.manifest import Manifest
from nnlib.network import Network
from nnlib.normalization import Normalization
from nnlib.preprocessing import IMAGE_SIZE
from nnlib.serving import ServingNetwork


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
    """A network, which changes no more, and its manifest. Safe to use from many threads."""

    network: Network
    manifest: Manifest

    def predict(self, pixels: npt.NDArray[np.uint8]) -> Prediction:
        """Run a batch in float32, keeping no activations.

        Shapes: pixels (batch, 64, 64, 3).
        Units: pixels uint8 0..255.
        Raises: ShapeError.
        """
        cat_probability, hidden = run_network(
            self._serving_network, self.manifest.normalization, self.manifest.temperature, pixels
        )
        return Prediction(cat_probability, is_certain(cat_probability, self.manifest.threshold), hidden)

    @cached_property
    def _serving_network(self) -> ServingNetwork:
        return ServingNetwork(self.network)


def run_network(
    network: Network | ServingNetwork,
    normalization: Normalization,
    temperature: float,
    pixels: npt.NDArray[np.uint8],
) -> tuple[Array, Array]:
    """From pixels to probability; apart from Model, because calibration needs it before there is a manifest.

    Shapes: pixels (batch, 64, 64, 3).
    Returns: cat_probability (batch,), activations of the last hidden layer (batch, units); in float32.
    Raises: ShapeError.
    """
    check_shape(pixels, ("batch", IMAGE_SIZE, IMAGE_SIZE, 3))
    logits, hidden = network.forward_with_hidden(normalization.apply(pixels))
    return sigmoid(logits[:, 0] / np.float32(temperature)), hidden
