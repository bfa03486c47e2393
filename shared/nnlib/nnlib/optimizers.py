"""How gradients change parameters. An optimizer sees named arrays and knows nothing about layers."""

from collections.abc import Mapping

from nnlib.arrays import Array


class GradientDescent:
    """parameter -= learning_rate * gradient."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Change every parameter in place by its gradient, which has the same name and shape."""
        for name, parameter in parameters.items():
            parameter -= self.learning_rate * gradients[name]
