"""Activations: functions of one number, applied to every number."""

import numpy as np

from nnlib.arrays import Array
from nnlib.layers.layer import Layer
from nnlib.layers.workspace import Workspace
from nnlib.losses import sigmoid


class ReLU(Layer):
    """Rectifier: outputs = max(inputs, 0). Its slope at exactly 0 is taken as 0.

    Shapes: inputs and outputs (batch, ...).
    """

    def __init__(self) -> None:
        super().__init__()
        self._workspace = Workspace()

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        if not training:
            return np.maximum(inputs, 0)
        self._outputs = np.maximum(inputs, 0, out=self._workspace.empty("outputs", inputs.shape, inputs.dtype))
        return self._outputs

    def backward(self, output_gradient: Array) -> Array:
        input_gradient = self._workspace.empty("input_gradient", output_gradient.shape, output_gradient.dtype)
        return np.multiply(output_gradient, self._outputs > 0, out=input_gradient)


class SiLU(Layer):
    """A smooth rectifier: outputs = inputs * sigmoid(inputs).

    Shapes: inputs and outputs (batch, ...).
    Source: Elfwing, Uchibe and Doya 2018, doi:10.1016/j.neunet.2017.12.012; Ramachandran et al. 2017 call it Swish.
    """

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        gate = sigmoid(inputs)
        if training:
            self._inputs, self._gate = inputs, gate
        return inputs * gate

    def backward(self, output_gradient: Array) -> Array:
        return output_gradient * (self._gate * (1 + self._inputs * (1 - self._gate)))
