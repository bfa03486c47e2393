"""A network: images -> layer -> layer -> ... -> one logit.

It adds nothing to its layers but order and names. A parameter is named `layer.parameter`, where the layer's name is its
type and its position among its neighbours of that type: "linear1.weight" is the weight of the first Linear.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array
from nnlib.errors import ShapeError
from nnlib.initializers import Initializer, he_normal
from nnlib.layers import LAYERS, Layer, name_layers


class Network:
    """A chain of layers, itself used like one layer."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        """Run all layers.

        Shapes: inputs (batch, ...) as the first layer takes them, result (batch, ...) as the last one gives them.
        """
        for layer in self.layers:
            inputs = layer.forward(inputs, training=training)
        return inputs

    def forward_with_hidden(self, inputs: Array) -> tuple[Array, Array]:
        """Run all layers as serving does, and return also what the last one saw.

        Shapes: inputs (batch, ...).
        Returns: logits (batch, 1), activations of the last hidden layer (batch, units).
        """
        for layer in self.layers[:-1]:
            inputs = layer.forward(inputs)
        return self.layers[-1].forward(inputs), inputs

    def backward(self, output_gradient: Array) -> Array:
        """Fill every layer's gradients, last layer first; return the gradient with respect to the inputs."""
        for layer in reversed(self.layers):
            output_gradient = layer.backward(output_gradient)
        return output_gradient

    def backward_parameters(self, output_gradient: Array) -> None:
        """Fill every layer's gradients: backward() without the gradient of the images, which training does not need."""
        for layer in reversed(self.layers[1:]):
            output_gradient = layer.backward(output_gradient)
        self.layers[0].backward_parameters(output_gradient)

    def named_layers(self) -> dict[str, Layer]:
        """The innermost layers by name, in order."""
        return name_layers(self.layers)

    def parameters(self) -> dict[str, Array]:
        """Every parameter by its full name (the arrays themselves, not copies)."""
        return self._collect("parameters")

    def gradients(self) -> dict[str, Array]:
        """What backward() left, under the names of parameters()."""
        return self._collect("gradients")

    def state(self) -> dict[str, Array]:
        """What layers keep beside their parameters, by full name (the arrays themselves, not copies)."""
        return self._collect("state")

    def _collect(self, kind: str) -> dict[str, Array]:
        return {
            f"{layer_name}.{key}": value
            for layer_name, layer in self.named_layers().items()
            for key, value in getattr(layer, kind).items()
        }

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take over copies of these arrays as parameters and state, in the type they have.

        Raises: ShapeError, before anything is changed, if a name or a shape is not this network's.
        """
        own = self.parameters() | self.state()
        if own.keys() != arrays.keys():
            raise ShapeError(f"parameters differ in {', '.join(sorted(own.keys() ^ arrays.keys()))}")
        for name, value in own.items():
            if arrays[name].shape != value.shape:
                raise ShapeError(f"{name} has shape {arrays[name].shape}, expected {value.shape}")
        for layer_name, layer in self.named_layers().items():
            layer.parameters = {key: np.array(arrays[f"{layer_name}.{key}"]) for key in layer.parameters}
            layer.state = {key: np.array(arrays[f"{layer_name}.{key}"]) for key in layer.state}

    def cast(self, dtype: npt.DTypeLike) -> None:
        """Convert every parameter and state: float64 for exact gradients, float32 for speed."""
        for layer in self.named_layers().values():
            layer.parameters = {key: value.astype(dtype) for key, value in layer.parameters.items()}
            layer.state = {key: value.astype(dtype) for key, value in layer.state.items()}

    def architecture(self) -> list[dict[str, Any]]:
        """The layers as the manifest keeps them; build_network() reads it back."""
        return _describe(self.layers)


def build_network(
    architecture: Sequence[Mapping[str, Any]], *, rng: np.random.Generator, initializer: Initializer = he_normal
) -> Network:
    """Build the network that an architecture describes, with fresh parameters.

    Raises: ValueError naming the entry, if a type is unknown or its arguments are not the layer's.
    """
    return Network(_build(architecture, rng=rng, initializer=initializer))


def _describe(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    entries = []
    for layer in layers:
        entry = {"type": type(layer).__name__, **layer.config()}
        if layer.inner_layers():
            entry["body"] = _describe(layer.inner_layers())
        entries.append(entry)
    return entries


def _build(
    architecture: Sequence[Mapping[str, Any]], *, rng: np.random.Generator, initializer: Initializer
) -> list[Layer]:
    layers = []
    for position, entry in enumerate(architecture):
        config = {key: value for key, value in entry.items() if key != "type"}
        kind = entry.get("type")
        if not isinstance(kind, str) or kind not in LAYERS:
            raise ValueError(f"architecture entry {position} has the unknown type {kind!r}")
        try:
            if "body" in config:
                config["body"] = _build(config["body"], rng=rng, initializer=initializer)
            layers.append(LAYERS[kind].from_config(config, rng=rng, initializer=initializer))
        except (AttributeError, TypeError, ValueError, MemoryError, RecursionError) as error:
            raise ValueError(f"architecture entry {position} ({kind}): {error}") from error
    return layers
