"""Is backward() the derivative of forward()? Asked of numbers, in float64.

A whole gradient is tested along one random direction d at the price of two evaluations: the slope
(f(x + h d) - f(x - h d)) / 2h must equal <gradient, d>. A gradient that is wrong anywhere by more than rounding differs
from it with probability 1.

Source: the idea of HIPS/autograd's test_util; central differences, Press et al. 2007, Numerical Recipes, section 5.7.
"""

from collections.abc import Callable

import numpy as np

from nnlib.arrays import Array
from nnlib.layers import Layer
from nnlib.losses import binary_cross_entropy
from nnlib.network import Network

STEP = 1e-6
TOLERANCE = 1e-6  # relative; central differences at this step are good to about 1e-9


class GradientError(AssertionError):
    """A gradient is not the slope; the text names which, and gives both numbers."""


def check_gradient(
    name: str, function: Callable[[Array], float], point: Array, gradient: Array, *, rng: np.random.Generator
) -> None:
    """Compare a gradient with the slope along one random direction.

    Shapes: gradient as point.
    Raises: GradientError.
    """
    direction = rng.normal(size=point.shape)
    slope = (function(point + STEP * direction) - function(point - STEP * direction)) / (2 * STEP)
    _compare(f"{name} along a random direction", float(np.sum(gradient * direction)), slope)


def check_layer(layer: Layer, inputs: Array, *, rng: np.random.Generator) -> None:
    """Check a layer's gradients, of its inputs and of each of its parameters, as it behaves in training.

    The loss is a random weighting of the outputs. Inputs of a layer with a kink (ReLU at 0) must keep away from it.
    Raises: GradientError.
    """
    weighting = rng.normal(size=layer.forward(inputs, training=True).shape)
    input_gradient = layer.backward(weighting)
    kind = type(layer).__name__

    def loss_of_inputs(changed: Array) -> float:
        return float(np.sum(layer.forward(changed, training=True) * weighting))

    check_gradient(f"{kind}: inputs", loss_of_inputs, inputs, input_gradient, rng=rng)
    for key, gradient in dict(layer.gradients).items():
        original = layer.parameters[key]

        def loss_of_parameter(changed: Array, key: str = key) -> float:
            layer.parameters[key] = changed
            return float(np.sum(layer.forward(inputs, training=True) * weighting))

        try:
            check_gradient(f"{kind}: {key}", loss_of_parameter, original, gradient, rng=rng)
        finally:
            layer.parameters[key] = original


def check_network(network: Network, inputs: Array, targets: Array) -> None:
    """Check every single coordinate of every parameter against the loss; for a network of a few dozen parameters.

    Shapes: inputs (batch, ...), targets (batch,).
    Raises: GradientError.
    """
    _, output_gradient = binary_cross_entropy(network.forward(inputs, training=True), targets)
    network.backward(output_gradient)
    gradients = network.gradients()
    for name, parameter in network.parameters().items():
        for index in np.ndindex(parameter.shape):
            original = parameter[index]
            losses = []
            for value in (original + STEP, original - STEP):
                parameter[index] = value
                losses.append(binary_cross_entropy(network.forward(inputs, training=True), targets)[0])
            parameter[index] = original
            _compare(f"{name}{list(index)}", float(gradients[name][index]), (losses[0] - losses[1]) / (2 * STEP))


def _compare(name: str, gradient: float, slope: float) -> None:
    if not abs(gradient - slope) <= TOLERANCE * max(1.0, abs(gradient), abs(slope)):
        raise GradientError(f"{name}: backward() says {gradient:.9g}, the slope is {slope:.9g}")
