"""Pooling: fewer pixels, or none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class GlobalAveragePool:
    """Mean over all pixels: outputs[b, c] = mean over (i, j) of inputs[b, i, j, c].

    Shapes: inputs (batch, height, width, channels), outputs (batch, channels).
    """

    def __init__(self) -> None:
        self.parameters: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        if training:
            self._shape = inputs.shape
        return inputs.mean(axis=(1, 2))

    def backward(self, output_gradient: Array) -> Array:
        _, height, width, _ = self._shape
        return np.broadcast_to((output_gradient / (height * width))[:, None, None, :], self._shape).copy()
