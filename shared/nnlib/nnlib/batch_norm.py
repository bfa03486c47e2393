"""Batch normalisation over images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlib.workspace import Workspace

Array = NDArray[np.floating]


class BatchNorm:
    """Per channel: outputs = scale * (inputs - mean) / sqrt(variance + epsilon) + shift.

    In training, mean and variance are those of the minibatch, over all axes but the last; otherwise their moving averages.
    Shapes: inputs and outputs (batch, ..., channels), scale and shift (channels,).
    Source: Ioffe and Szegedy 2015, Batch Normalization.
    """

    def __init__(self, channels: int, *, momentum: float = 0.1, epsilon: float = 1e-5, initial_scale: float = 1.0) -> None:
        self.momentum, self.epsilon = momentum, epsilon
        self.parameters: dict[str, Array] = {
            "scale": np.full(channels, initial_scale, np.float32),
            "shift": np.zeros(channels, np.float32),
        }
        self.state: dict[str, Array] = {"mean": np.zeros(channels, np.float32), "variance": np.ones(channels, np.float32)}
        self.gradients: dict[str, Array] = {}
        self._workspace = Workspace()

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        scale, shift = self.parameters["scale"], self.parameters["shift"]
        if not training:
            factor = scale / np.sqrt(self.state["variance"] + self.epsilon)
            return inputs * factor + (shift - self.state["mean"] * factor)
        rows = _Rows(inputs, len(scale))
        mean = rows.sum(rows.view(inputs)) / rows.count
        centred = self._workspace.empty("centred", inputs.shape, inputs.dtype)
        squares = self._workspace.empty("scratch", inputs.shape, inputs.dtype)
        outputs = self._workspace.empty("outputs", inputs.shape, inputs.dtype)
        np.subtract(rows.view(inputs), rows.tile(mean), out=rows.view(centred))
        np.multiply(centred, centred, out=squares)
        variance = rows.sum(rows.view(squares)) / rows.count
        self._inverse_deviation = 1 / np.sqrt(variance + self.epsilon)
        self._centred = centred
        np.multiply(rows.view(centred), rows.tile(scale * self._inverse_deviation), out=rows.view(outputs))
        outputs_view = rows.view(outputs)
        outputs_view += rows.tile(shift)
        unbiased = variance * (rows.count / max(rows.count - 1, 1))
        self.state["mean"] += self.momentum * (mean - self.state["mean"])
        self.state["variance"] += self.momentum * (unbiased - self.state["variance"])
        return outputs

    def backward(self, output_gradient: Array) -> Array:
        scale = self.parameters["scale"]
        rows = _Rows(output_gradient, len(scale))
        gradient, centred = rows.view(output_gradient), rows.view(self._centred)
        scratch = rows.view(self._workspace.empty("scratch", output_gradient.shape, output_gradient.dtype))
        input_gradient = self._workspace.empty("input_gradient", output_gradient.shape, output_gradient.dtype)
        np.multiply(gradient, centred, out=scratch)
        along_centred = rows.sum(scratch)
        total = rows.sum(gradient)
        self.gradients = {"scale": along_centred * self._inverse_deviation, "shift": total}
        # d inputs = factor * (gradient - mean(gradient) - centred * mean(gradient * centred) / variance)
        factor = scale * self._inverse_deviation
        np.multiply(centred, rows.tile(-factor * along_centred * self._inverse_deviation**2 / rows.count), out=scratch)
        view = rows.view(input_gradient)
        np.multiply(gradient, rows.tile(factor), out=view)
        view += scratch
        view -= rows.tile(factor * total / rows.count)
        return input_gradient


class _Rows:
    """Sees (batch, height, width, channels) as long rows of whole pixels.

    Adding a vector of 32 channels to every pixel spends its time between pixels; adding the vector repeated along a row
    of the image does not.
    """

    def __init__(self, array: Array, channels: int) -> None:
        self.channels = channels
        self.count = array.size // channels
        pixels = array.shape[-2] if array.ndim == 4 else 1
        if array.ndim == 4 and pixels * channels < 1024:
            pixels *= array.shape[-3]
        self.pixels = pixels

    def view(self, array: Array) -> Array:
        return array.reshape(-1, self.pixels * self.channels)

    def tile(self, vector: Array) -> Array:
        return np.tile(vector, self.pixels)

    def sum(self, rows: Array) -> Array:
        """Per channel, by a matrix product with ones: the quickest sum over rows there is."""
        ones = np.ones(len(rows), rows.dtype)
        return (ones @ rows).reshape(self.pixels, self.channels).sum(axis=0)
