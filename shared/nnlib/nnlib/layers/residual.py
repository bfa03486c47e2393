"""Shortcuts."""

from collections.abc import Sequence

from nnlib.arrays import Array, check_shape
from nnlib.layers.layer import Layer


class Residual(Layer):
    """A shortcut around some layers: outputs = inputs + body(inputs).

    Shapes: inputs and outputs the same.
    Raises: ShapeError if the body changes the shape.
    Source: He et al. 2016, Deep Residual Learning for Image Recognition.
    """

    def __init__(self, body: Sequence[Layer]) -> None:
        super().__init__()
        self.body = list(body)

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        activations = inputs
        for layer in self.body:
            activations = layer.forward(activations, training=training)
        check_shape(activations, inputs.shape)
        return inputs + activations

    def backward(self, output_gradient: Array) -> Array:
        gradient = output_gradient
        for layer in reversed(self.body):
            gradient = layer.backward(gradient)
        return output_gradient + gradient

    def inner_layers(self) -> list[Layer]:
        return self.body
