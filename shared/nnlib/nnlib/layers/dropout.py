"""Dropout."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from nnlib.arrays import Array
from nnlib.initializers import Initializer
from nnlib.layers.layer import Layer


class Dropout(Layer):
    """In training, set each number to 0 with probability dropout_rate and divide the others by 1 - dropout_rate.

    The expected output is then the input, which is also what serving gets.

    Shapes: inputs and outputs (batch, ...).
    Raises: ValueError if dropout_rate is not in 0..1 (1 excluded).
    Source: Srivastava et al. 2014, Dropout, JMLR 15; the division is their section 10, "inverted".
    """

    def __init__(self, dropout_rate: float, *, rng: np.random.Generator) -> None:
        super().__init__()
        if not 0 <= dropout_rate < 1:
            raise ValueError(f"dropout_rate is {dropout_rate!r}, expected 0 <= dropout_rate < 1")
        self.dropout_rate = dropout_rate
        self.rng = rng

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        if not training:
            return inputs
        kept = self.rng.random(inputs.shape, dtype=np.float32) >= self.dropout_rate
        self._factor = kept * inputs.dtype.type(1 / (1 - self.dropout_rate))
        return inputs * self._factor

    def backward(self, output_gradient: Array) -> Array:
        return output_gradient * self._factor

    def config(self) -> dict[str, Any]:
        return {"dropout_rate": self.dropout_rate}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, rng: np.random.Generator, initializer: Initializer) -> Self:
        return cls(**config, rng=rng)
