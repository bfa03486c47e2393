"""Pooling: fewer pixels, or one."""

from typing import Any

import numpy as np

from nnlib.arrays import Array, check_shape
from nnlib.errors import ShapeError
from nnlib.layers.layer import Layer, check_positive


class _SquarePool(Layer):
    """Squares of size x size pixels side by side; what is left over at the right and at the bottom is ignored."""

    def __init__(self, size: int) -> None:
        super().__init__()
        check_positive(size=size)
        self.size = size

    def config(self) -> dict[str, Any]:
        return {"size": self.size}

    def _squares(self, inputs: Array) -> list[Array]:
        """One view a position within the square. Shapes: inputs (batch, height, width, channels)."""
        check_shape(inputs, ("batch", "height", "width", "channels"))
        height, width = inputs.shape[1] // self.size * self.size, inputs.shape[2] // self.size * self.size
        if not height or not width:
            raise ShapeError(f"got images of {inputs.shape[1]}x{inputs.shape[2]}, smaller than the pool of {self.size}")
        step = self.size
        return [inputs[:, u:height:step, v:width:step] for u in range(step) for v in range(step)]


class MaxPool2D(_SquarePool):
    """The largest number of each square, a channel at a time. Of several equal ones the first gets the gradient.

    Shapes: inputs (batch, height, width, channels), outputs (batch, height // size, width // size, channels).
    Raises: ShapeError if an image is smaller than the square.
    """

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        first, *others = self._squares(inputs)
        outputs = first.copy()
        for square in others:
            np.maximum(outputs, square, out=outputs)
        if training:
            self._inputs, self._outputs = inputs, outputs
        return outputs

    def backward(self, output_gradient: Array) -> Array:
        input_gradient = np.zeros(self._inputs.shape, output_gradient.dtype)
        open_ = np.ones(self._outputs.shape, bool)
        for square, gradient in zip(self._squares(self._inputs), self._squares(input_gradient), strict=True):
            chosen = (square == self._outputs) & open_
            open_ &= ~chosen
            np.multiply(output_gradient, chosen, out=gradient)
        return input_gradient


class AveragePool2D(_SquarePool):
    """The mean of each square, a channel at a time.

    Shapes: inputs (batch, height, width, channels), outputs (batch, height // size, width // size, channels).
    Raises: ShapeError if an image is smaller than the square.
    """

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        first, *others = self._squares(inputs)
        outputs = first.copy()
        for square in others:
            outputs += square
        outputs /= self.size**2
        if training:
            self._shape = inputs.shape
        return outputs

    def backward(self, output_gradient: Array) -> Array:
        input_gradient = np.zeros(self._shape, output_gradient.dtype)
        share = output_gradient / self.size**2
        for gradient in self._squares(input_gradient):
            gradient[...] = share
        return input_gradient


class GlobalAveragePool(Layer):
    """The mean over all pixels, a channel at a time: the network may then take images of any size.

    Shapes: inputs (batch, height, width, channels), outputs (batch, channels).
    """

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        check_shape(inputs, ("batch", "height", "width", "channels"))
        if training:
            self._shape = inputs.shape
        mean: Array = inputs.mean(axis=(1, 2))
        return mean

    def backward(self, output_gradient: Array) -> Array:
        _, height, width, _ = self._shape
        share = output_gradient / (height * width)
        return np.broadcast_to(share[:, np.newaxis, np.newaxis, :], self._shape)
