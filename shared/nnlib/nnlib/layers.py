"""The steps a network is made of.

A layer turns a minibatch into the next one (forward) and the loss gradient with respect to its outputs into that with
respect to its inputs (backward). What it learns is in `parameters`; `backward` leaves in `gradients` one array for
each, under the same key, so an optimizer needs to know nothing about layers.

Only forward(training=True) may write to a layer: serving runs one network from many threads.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from nnlib.arrays import Array, check_shape
from nnlib.initializers import Initializer, he_normal


class Layer(ABC):
    """What every layer has. One without parameters leaves both dicts empty."""

    def __init__(self) -> None:
        self.parameters: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}

    @abstractmethod
    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        """Compute the outputs; with training=True also keep what backward() needs."""

    @abstractmethod
    def backward(self, output_gradient: Array) -> Array:
        """Store the parameter gradients; return the gradient with respect to the inputs."""

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, as the manifest keeps them."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, rng: np.random.Generator, initializer: Initializer) -> Self:
        """Build the layer that config() described; a layer that is random passes on rng and initializer."""
        return cls(**config)


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
        for features in (in_features, out_features):
            if type(features) is not int or features < 1:
                raise ValueError(f"a number of features is {features!r}, expected a positive integer")
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


class ReLU(Layer):
    """Rectifier: outputs = max(inputs, 0). Its slope at exactly 0 is taken as 0.

    Shapes: inputs and outputs (batch, ...).
    """

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        if training:
            self._positive = inputs > 0
        return np.maximum(inputs, 0)

    def backward(self, output_gradient: Array) -> Array:
        return output_gradient * self._positive


LAYERS: dict[str, type[Layer]] = {layer.__name__: layer for layer in (Flatten, Linear, ReLU)}
