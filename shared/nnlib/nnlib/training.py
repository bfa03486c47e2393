"""The training loop."""

from collections.abc import Iterable, Iterator

from nnlib.arrays import Array
from nnlib.losses import binary_cross_entropy
from nnlib.network import Network
from nnlib.optimizers import Optimizer


def train(network: Network, minibatches: Iterable[tuple[Array, Array]], optimizer: Optimizer) -> Iterator[float]:
    """Take one step a minibatch, yielding its loss as it was before that step.

    As a generator it leaves the rest to the caller: a progress bar wraps it, a learning curve collects it, and early
    stopping is a `break`. Nothing happens until it is iterated.

    Shapes: a minibatch is inputs (batch, ...) and targets (batch,).
    """
    for inputs, targets in minibatches:
        loss, gradient = binary_cross_entropy(network.forward(inputs, training=True), targets)
        network.backward(gradient)
        optimizer.step(network.parameters(), network.gradients())
        yield loss
