"""Which pixels made the network say so? Four answers, each a map of the picture.

All explain the logit, and all but occlusion follow its gradient. The network must be one for serving, without batch
normalisation and dropout (see folding), and in the hands of one thread while it explains: backward() needs what
forward(training=True) leaves in the layers.

Sources: Simonyan, Vedaldi and Zisserman 2014, Deep Inside Convolutional Networks (gradient); Smilkov et al. 2017,
SmoothGrad; Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks (integrated gradients); Zeiler
and Fergus 2014 (occlusion).
"""

import numpy as np

from nnlib.arrays import Array, check_shape
from nnlib.network import Network

BATCH = 16


def input_gradient(network: Network, inputs: Array) -> Array:
    """Slope of each sample's logit with respect to its inputs.

    Shapes: inputs and result (batch, height, width, channels).
    """
    outputs = network.forward(inputs, training=True)
    check_shape(outputs, (len(inputs), 1))
    return np.array(network.backward(np.ones_like(outputs)))


def gradient(network: Network, image: Array) -> Array:
    """Per pixel and channel: input times slope of the logit, its first-order share.

    Shapes: image and result (height, width, channels).
    """
    share: Array = image * input_gradient(network, image[np.newaxis])[0]
    return share


def smoothgrad(
    network: Network, image: Array, *, samples: int = 32, noise: float = 0.15, rng: np.random.Generator
) -> Array:
    """The mean input gradient of noisy copies, times the input: one alone jumps between neighbours that look the same.

    Shapes: image and result (height, width, channels). Units: noise as a share of the image's range.
    """
    deviation = noise * float(np.ptp(image))
    total = np.zeros_like(image)
    for size in _batches(samples):
        noisy = image + deviation * rng.normal(size=(size, *image.shape)).astype(image.dtype)
        total += input_gradient(network, noisy).sum(axis=0)
    return image * total / samples


def integrated_gradients(network: Network, image: Array, baseline: Array, *, steps: int = 64) -> Array:
    """(image - baseline) times the mean gradient on the straight way between them.

    Complete: the sum over the map is logit(image) - logit(baseline), up to the error of the midpoint rule.

    Shapes: image, baseline and result (height, width, channels).
    """
    check_shape(baseline, image.shape)
    total = np.zeros_like(image)
    shares = ((np.arange(steps) + 0.5) / steps).astype(image.dtype)
    for start in range(0, steps, BATCH):
        points = baseline + shares[start : start + BATCH, np.newaxis, np.newaxis, np.newaxis] * (image - baseline)
        total += input_gradient(network, points).sum(axis=0)
    return (image - baseline) * total / steps


def occlusion(network: Network, image: Array, baseline: Array, *, window: int = 12, stride: int = 4) -> Array:
    """How far the logit falls when a square is covered with the baseline, averaged over the squares that cover a pixel.

    Shapes: image and baseline (height, width, channels), result (height, width).
    """
    check_shape(baseline, image.shape)
    height, width, _ = image.shape
    corners = [(top, left) for top in _starts(height, window, stride) for left in _starts(width, window, stride)]
    covered = np.repeat(image[np.newaxis], len(corners), axis=0)
    for copy, (top, left) in zip(covered, corners, strict=True):
        square = slice(top, top + window), slice(left, left + window)
        copy[square] = baseline[square]
    whole = float(network.forward(image[np.newaxis])[0, 0])
    falls = whole - np.concatenate(
        [network.forward(covered[start : start + BATCH])[:, 0] for start in range(0, len(corners), BATCH)]
    )
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for fall, (top, left) in zip(falls, corners, strict=True):
        total[top : top + window, left : left + window] += fall
        count[top : top + window, left : left + window] += 1
    return total / count


def heatmap(attribution: Array) -> Array:
    """One number a pixel, -1 (against a cat) .. 1 (for a cat): channels added up, divided by the largest size.

    Shapes: attribution (height, width, channels) or (height, width), result (height, width).
    """
    by_pixel = attribution.sum(axis=2) if attribution.ndim == 3 else attribution
    largest = float(np.abs(by_pixel).max())
    return by_pixel / largest if largest > 0 else np.zeros_like(by_pixel)


def _starts(length: int, window: int, stride: int) -> list[int]:
    """Where squares begin, so that the last one ends at the edge."""
    return [*range(0, max(1, length - window), stride), max(0, length - window)]


def _batches(count: int) -> list[int]:
    return [min(BATCH, count - start) for start in range(0, count, BATCH)]
