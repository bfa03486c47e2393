"""What every layer has, and how layers are named.

A layer turns a minibatch into the next one (forward) and the loss gradient with respect to its outputs into that with
respect to its inputs (backward). What it learns is in `parameters`; `backward` leaves in `gradients` one array for
each, under the same key, so an optimizer needs to know nothing about layers. What it keeps without learning it by
gradient (the averages of batch normalisation) is in `state`.

Only forward(training=True) may write to a layer: serving runs one network from many threads. Arrays returned in
training are the layer's own and valid until its next call.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from nnlib.arrays import Array
from nnlib.initializers import Initializer


class Layer(ABC):
    """A step of a network. One without parameters leaves the dicts empty."""

    def __init__(self) -> None:
        self.parameters: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        self.state: dict[str, Array] = {}

    @abstractmethod
    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        """Compute the outputs; with training=True also keep what backward() needs."""

    @abstractmethod
    def backward(self, output_gradient: Array) -> Array:
        """Store the parameter gradients; return the gradient with respect to the inputs."""

    def backward_parameters(self, output_gradient: Array) -> None:
        """Store the parameter gradients only: all that the first layer of a network in training has to do."""
        self.backward(output_gradient)

    def inner_layers(self) -> "list[Layer]":
        """The layers that this one is made of, in order: its argument `body`. One that has some learns nothing else."""
        return []

    def config(self) -> dict[str, Any]:
        """The constructor's arguments but for the body, as the manifest keeps them."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, rng: np.random.Generator, initializer: Initializer) -> Self:
        """Build the layer that config() described; a layer that is random passes on rng and initializer."""
        return cls(**config)


def name_layers(layers: Iterable[Layer]) -> dict[str, Layer]:
    """The innermost layers by name, in order.

    A name is the layer's type and its position among its neighbours of that type, "linear1"; a layer inside another
    carries both names, "residual2.conv2d1".
    """
    seen: Counter[str] = Counter()
    named: dict[str, Layer] = {}
    for layer in layers:
        kind = type(layer).__name__.lower()
        seen[kind] += 1
        name = f"{kind}{seen[kind]}"
        inner = name_layers(layer.inner_layers())
        named |= {f"{name}.{inner_name}": inner_layer for inner_name, inner_layer in inner.items()} or {name: layer}
    return named


def check_positive(**numbers: object) -> None:
    """Refuse a number of something that is not a positive integer.

    Raises: ValueError naming it.
    """
    for name, number in numbers.items():
        if type(number) is not int or number < 1:
            raise ValueError(f"{name} is {number!r}, expected a positive integer")
