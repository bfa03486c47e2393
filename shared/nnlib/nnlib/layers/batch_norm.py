"""Batch normalisation."""

from typing import Any

import numpy as np

from nnlib.arrays import Array, check_shape
from nnlib.errors import ShapeError
from nnlib.layers.layer import Layer, check_positive
from nnlib.layers.workspace import Workspace

_ROW_LENGTH = 1024  # numbers; long enough that NumPy's cost of beginning a row does not matter


class BatchNorm(Layer):
    """Per channel: outputs = scale * (inputs - mean) / sqrt(variance + epsilon) + shift.

    In training, mean and variance are those of the minibatch over all axes but the last. Serving takes their moving
    averages, to which each minibatch adds with weight `momentum` (of the variance: its unbiased estimate).

    Shapes: inputs and outputs (batch, ..., channels), all parameters and states (channels,).
    Raises: ShapeError if the last axis is not channels, or if there is only one number a channel to normalise in
    training.
    Source: Ioffe and Szegedy 2015, Batch Normalization, algorithm 1. initial_scale 0 makes a residual branch start
    as nothing: Goyal et al. 2017, section 5.1.
    """

    def __init__(
        self, channels: int, *, momentum: float = 0.1, epsilon: float = 1e-5, initial_scale: float = 1.0
    ) -> None:
        super().__init__()
        check_positive(channels=channels)
        self.momentum, self.epsilon, self.initial_scale = momentum, epsilon, initial_scale
        self.parameters = {"scale": np.full(channels, initial_scale), "shift": np.zeros(channels)}
        self.state = {"mean": np.zeros(channels), "variance": np.ones(channels)}
        self._workspace = Workspace()

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        scale, shift = self.parameters["scale"], self.parameters["shift"]
        check_shape(inputs, (*map(str, range(inputs.ndim - 1)), len(scale)))
        if not training:
            factor, offset = self.affine()
            return inputs * factor + offset
        rows = _Rows(inputs.shape)
        if rows.count < 2:
            raise ShapeError(f"got an array of shape {inputs.shape}: one number a channel has no variance")
        centred, scratch, outputs = (
            self._workspace.empty(name, inputs.shape, inputs.dtype) for name in ("centred", "scratch", "outputs")
        )
        mean = rows.sum(inputs) / rows.count
        np.subtract(rows.of(inputs), rows.repeat(mean), out=rows.of(centred))
        np.multiply(centred, centred, out=scratch)
        variance = rows.sum(scratch) / rows.count
        self._centred = centred
        self._inverse_deviation = 1 / np.sqrt(variance + self.epsilon)
        np.multiply(rows.of(centred), rows.repeat(scale * self._inverse_deviation), out=rows.of(outputs))
        np.add(rows.of(outputs), rows.repeat(shift), out=rows.of(outputs))
        self._average("mean", mean)
        self._average("variance", variance * (rows.count / (rows.count - 1)))
        return outputs

    def backward(self, output_gradient: Array) -> Array:
        """With g the output gradient, c the centred inputs and v the variance:

        input gradient = scale / sqrt(v + epsilon) * (g - mean(g) - c * mean(g * c) / (v + epsilon)).
        """
        rows = _Rows(output_gradient.shape)
        scratch, input_gradient = (
            self._workspace.empty(name, output_gradient.shape, output_gradient.dtype)
            for name in ("scratch", "input_gradient")
        )
        np.multiply(output_gradient, self._centred, out=scratch)
        along_centred = rows.sum(scratch) * self._inverse_deviation
        total = rows.sum(output_gradient)
        self.gradients = {"scale": along_centred, "shift": total}
        factor = self.parameters["scale"] * self._inverse_deviation
        by_centred = -factor * self._inverse_deviation * along_centred / rows.count
        np.multiply(rows.of(self._centred), rows.repeat(by_centred), out=rows.of(scratch))
        np.multiply(rows.of(output_gradient), rows.repeat(factor), out=rows.of(input_gradient))
        np.add(input_gradient, scratch, out=input_gradient)
        np.subtract(rows.of(input_gradient), rows.repeat(factor * total / rows.count), out=rows.of(input_gradient))
        return input_gradient

    def affine(self) -> tuple[Array, Array]:
        """What serving does, as (factor, offset) a channel: outputs = inputs * factor + offset."""
        factor = self.parameters["scale"] / np.sqrt(self.state["variance"] + self.epsilon)
        return factor, self.parameters["shift"] - self.state["mean"] * factor

    def _average(self, name: str, value: Array) -> None:
        self.state[name] += self.momentum * (value - self.state[name])

    def config(self) -> dict[str, Any]:
        return {
            "channels": len(self.parameters["scale"]),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "initial_scale": self.initial_scale,
        }


class _Rows:
    """Sees (batch, ..., channels) as a matrix with long rows of several pixels each.

    An operation between every pixel and a vector of 32 channels spends most of its time between pixels; one between
    long rows and the vector repeated does not.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        *others, self._channels = shape
        self.count = int(np.prod(others))
        self._pixels = 1
        for length in reversed(others):
            if self._pixels * self._channels >= _ROW_LENGTH:
                break
            self._pixels *= length

    def of(self, array: Array) -> Array:
        return array.reshape(-1, self._pixels * self._channels)

    def repeat(self, vector: Array) -> Array:
        return np.tile(vector, self._pixels)

    def sum(self, array: Array) -> Array:
        """Per channel, as a product with ones: BLAS adds faster than NumPy, in several parts, which keeps precision."""
        rows = self.of(array)
        total: Array = (np.ones(len(rows), rows.dtype) @ rows).reshape(self._pixels, self._channels).sum(axis=0)
        return total
