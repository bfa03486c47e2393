"""The training loop."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from nnlib.arrays import Array
from nnlib.errors import DivergedError
from nnlib.losses import binary_cross_entropy
from nnlib.network import Network
from nnlib.optimizers import Optimizer


def train(network: Network, minibatches: Iterable[tuple[Array, Array]], optimizer: Optimizer) -> Iterator[float]:
    """Take one step a minibatch, yielding its loss as it was before that step.

    As a generator it leaves the rest to the caller: a progress bar wraps it, a learning curve collects it, and early
    stopping is a `break`. Nothing happens until it is iterated.

    Shapes: a minibatch is inputs (batch, ...) and targets (batch,).
    Raises: DivergedError naming the step, counted from 0, if its loss is no finite number; no weight is changed then.
    """
    for step, (inputs, targets) in enumerate(minibatches):
        with np.errstate(invalid="ignore", over="ignore"):  # the check below says it better than a warning
            loss, gradient = binary_cross_entropy(network.forward(inputs, training=True), targets)
        if not math.isfinite(loss):
            raise DivergedError(f"step {step}: the loss is {loss}")
        network.backward(gradient)
        optimizer.step(network.parameters(), network.gradients())
        yield loss
