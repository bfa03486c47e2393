"""Which pixels made the model say so, as numbers and as a picture to lay over the photo."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from nnlib import explanations
from nnlib.arrays import Array
from nnlib.initializers import zeros
from nnlib.model import Model
from nnlib.network import Network, build_network
from PIL import Image

from inference.deadline import Deadline

FOR_A_CAT = (214, 40, 40)
AGAINST_A_CAT = (36, 84, 196)
MOST_OPAQUE = 200
"""Of 255: the photo shines through even where the map is strongest."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """``heatmap`` is 64 rows of 64 numbers, -1 (against a cat) .. 1 (for a cat); ``heatmap_png`` a data URL of it."""

    heatmap: list[list[float]]
    heatmap_png: str


def explain(model: Model, pixels: npt.NDArray[np.uint8], method: str, *, deadline: Deadline) -> Explanation:
    """Explain the model's logit for one picture; made to run in a thread.

    Integrated gradients and occlusion compare with a picture of one colour, the mean of this one.

    Shapes: pixels (64, 64, 3). Units: uint8 0..255.
    Raises: DeadlineExceeded if nobody waits any more.
    """
    deadline.check()
    image = model.manifest.normalization.apply(pixels[np.newaxis])[0]
    attribution = METHODS[method](_own_network(model), image)
    heatmap = np.round(explanations.heatmap(attribution).astype(np.float64), 4).clip(-1, 1)
    return Explanation(heatmap.tolist(), _png_url(heatmap))


def _png_url(heatmap: Array) -> str:
    """Red where it speaks for a cat, blue where against one, the stronger the less transparent.

    Shapes: heatmap (height, width). Units: -1..1.
    """
    pixels = np.empty((*heatmap.shape, 4), np.uint8)
    pixels[..., :3] = np.where(heatmap[..., np.newaxis] >= 0, FOR_A_CAT, AGAINST_A_CAT)
    pixels[..., 3] = np.rint(np.abs(heatmap) * MOST_OPAQUE)
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


def _own_network(model: Model) -> Network:
    """A copy: explaining writes to the layers, and the model's own are in use."""
    network = build_network(model.manifest.architecture, rng=np.random.default_rng(0), initializer=zeros)
    network.load(model.network.parameters() | model.network.state())
    return network


def _flat(image: Array) -> Array:
    return np.broadcast_to(image.mean(axis=(0, 1)), image.shape)


def _smoothgrad(network: Network, image: Array) -> Array:
    """With the same noise every time, so that asking twice gives one answer."""
    return explanations.smoothgrad(network, image, rng=np.random.default_rng(0))


def _integrated_gradients(network: Network, image: Array) -> Array:
    return explanations.integrated_gradients(network, image, _flat(image))


def _occlusion(network: Network, image: Array) -> Array:
    return explanations.occlusion(network, image, _flat(image))


METHODS: Mapping[str, Callable[[Network, Array], Array]] = {
    "gradient": explanations.gradient,
    "smoothgrad": _smoothgrad,
    "integrated_gradients": _integrated_gradients,
    "occlusion": _occlusion,
}
DEFAULT_METHOD = "gradient"
