"""Residual connections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Residual:
    """A shortcut around some layers: outputs = inputs + body(inputs).

    Shapes: inputs and outputs the same; the body must keep the shape.
    Source: He et al. 2016, Deep Residual Learning for Image Recognition.
    """

    def __init__(self, body: list) -> None:
        self.body = body

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        activations = inputs
        for layer in self.body:
            activations = layer.forward(activations, training=training)
        return inputs + activations

    def backward(self, output_gradient: Array) -> Array:
        gradient = output_gradient
        for layer in reversed(self.body):
            gradient = layer.backward(gradient)
        return output_gradient + gradient
