"""Layers that see every sample as one row of numbers."""

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from nnlib.arrays import Array, check_shape
from nnlib.initializers import Initializer, he_normal
from nnlib.layers.layer import Layer, check_positive


class Flatten(Layer):
    """Lay every sample out as one row.

    Shapes: inputs (batch, ...), outputs (batch, features).
    """

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        if training:
            self._shape = inputs.shape
        return inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))  # -1 would fail on an empty batch

    def backward(self, output_gradient: Array) -> Array:
        return output_gradient.reshape(self._shape)


class Linear(Layer):
    """Affine map: outputs = inputs @ weight + bias.

    Shapes: inputs (batch, in_features), weight (in_features, out_features), bias (out_features,),
    outputs (batch, out_features).
    Raises: ShapeError if inputs are not (batch, in_features); ValueError if a number of features is not positive.
    """

    def __init__(
        self, in_features: int, out_features: int, *, rng: np.random.Generator, initializer: Initializer = he_normal
    ) -> None:
        super().__init__()
        check_positive(in_features=in_features, out_features=out_features)
        self.parameters = {
            "weight": initializer(rng, (in_features, out_features), in_features),
            "bias": np.zeros(out_features),
        }

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        check_shape(inputs, ("batch", len(self.parameters["weight"])))
        if training:
            self._inputs = inputs
        return inputs @ self.parameters["weight"] + self.parameters["bias"]

    def backward(self, output_gradient: Array) -> Array:
        self.gradients = {"weight": self._inputs.T @ output_gradient, "bias": output_gradient.sum(axis=0)}
        return output_gradient @ self.parameters["weight"].T

    def config(self) -> dict[str, Any]:
        in_features, out_features = self.parameters["weight"].shape
        return {"in_features": in_features, "out_features": out_features}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, rng: np.random.Generator, initializer: Initializer) -> Self:
        return cls(**config, rng=rng, initializer=initializer)
