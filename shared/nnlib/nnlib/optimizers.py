"""How gradients change parameters. An optimizer sees named arrays and knows nothing about layers.

What it remembers between steps is in `memory`, by name, so that a checkpoint can keep it. Weight decay shrinks weights
only: biases and the scales and shifts of a normalisation are vectors, and are left alone.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from nnlib.arrays import Array


class Optimizer(ABC):
    """Changes parameters in place. The learning rate may be set anew before every step."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.memory: dict[str, Array] = {}

    @abstractmethod
    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Change every parameter in place by its gradient, which has the same name and shape."""

    def _remember(self, name: str, like: Array) -> Array:
        if name not in self.memory:
            self.memory[name] = np.zeros_like(like)
        return self.memory[name]


class GradientDescent(Optimizer):
    """velocity = momentum * velocity + gradient + weight_decay * parameter; parameter -= learning_rate * velocity.

    With nesterov=True the step is taken along gradient + momentum * velocity: the gradient as it will be after the
    velocity has acted, to first order.

    Source: Sutskever et al. 2013, On the importance of initialization and momentum in deep learning, section 2.
    """

    def __init__(
        self, learning_rate: float, *, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(learning_rate)
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        for name, parameter in parameters.items():
            change = gradients[name]
            if self.weight_decay and parameter.ndim > 1:
                change = change + self.weight_decay * parameter
            if self.momentum:
                velocity = self._remember(f"velocity.{name}", parameter)
                velocity *= self.momentum
                velocity += change
                change = change + self.momentum * velocity if self.nesterov else velocity
            parameter -= self.learning_rate * change


class AdamW(Optimizer):
    """Steps of equal size in all directions: parameter -= learning_rate * (mean / (sqrt(square) + epsilon) + decay).

    `mean` and `square` are moving averages of the gradient and of its square, divided by what they lack for having
    started at zero. The decay, weight_decay * parameter, does not pass through them. Without it this is Adam.

    Source: Kingma and Ba 2015, Adam, algorithm 1; Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization,
    algorithm 2.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        mean_decay: float = 0.9,
        square_decay: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate)
        self.mean_decay, self.square_decay, self.epsilon = mean_decay, square_decay, epsilon
        self.weight_decay = weight_decay
        self.memory["steps"] = np.zeros(())

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        self.memory["steps"] += 1
        steps = self.memory["steps"].item()
        mean_share = 1 - self.mean_decay**steps
        square_share = 1 - self.square_decay**steps
        for name, parameter in parameters.items():
            gradient = gradients[name]
            mean = self._remember(f"mean.{name}", parameter)
            square = self._remember(f"square.{name}", parameter)
            mean += (1 - self.mean_decay) * (gradient - mean)
            square += (1 - self.square_decay) * (gradient * gradient - square)
            change = mean / (np.sqrt(square / square_share) + self.epsilon)
            change *= 1 / mean_share
            if parameter.ndim > 1:
                change += self.weight_decay * parameter
            parameter -= self.learning_rate * change


def clip_gradients(gradients: Mapping[str, Array], maximum_norm: float) -> float:
    """Scale all gradients down together, in place, so that their joint length is at most maximum_norm.

    Returns: their length before.
    Source: Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks, section 3.2.
    """
    norm = math.sqrt(sum(float(np.vdot(gradient, gradient)) for gradient in gradients.values()))
    if norm > maximum_norm:
        for gradient in gradients.values():
            gradient *= maximum_norm / norm
    return norm
