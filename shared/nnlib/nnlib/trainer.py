"""Training a network for long: schedule, averaged weights, validation, early stopping, checkpoints.

All that is random in step s of replica r is drawn from a generator seeded by (seed, s, r). So a training is the same
every time, and one that goes on from a checkpoint does, bit for bit, what it would have done without the
interruption.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlib.arrays import Array
from nnlib.checkpoint import Checkpoint
from nnlib.errors import CheckpointError, DivergedError, ShapeError
from nnlib.layers import Dropout
from nnlib.losses import binary_cross_entropy
from nnlib.network import Network, build_network
from nnlib.optimizers import Optimizer, clip_gradients
from nnlib.replicas import Exchange, alone
from nnlib.schedules import Schedule
from nnlib.weight_average import WeightAverage

Minibatch = Callable[[int, np.random.Generator], tuple[Array, Array]]


@dataclass(frozen=True)
class StepReport:
    """What a step was like. Units: step counts from 0; loss in nats, before the step; gradient_norm before clipping."""

    step: int
    loss: float
    gradient_norm: float
    learning_rate: float


class Trainer:
    """A network, what changes it, and how far it has come.

    `minibatch(step, rng)` gives the inputs (batch, ...) and targets (batch,) of a step.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        minibatch: Minibatch,
        *,
        schedule: Schedule,
        seed: int,
        maximum_gradient_norm: float = math.inf,
        average_decay: float = 0.999,
        exchange: Exchange | None = None,
    ) -> None:
        self.network, self.optimizer, self.minibatch, self.schedule = network, optimizer, minibatch, schedule
        self.seed, self.maximum_gradient_norm = seed, maximum_gradient_norm
        self.exchange = exchange or alone()
        self.step = 0
        self._highest_learning_rate = optimizer.learning_rate
        self._average = WeightAverage(network.parameters() | network.state(), decay=average_decay)

    def run(self, steps: int) -> Iterator[StepReport]:
        """Take steps until `steps` have been taken since the beginning, reporting each.

        Raises: DivergedError if the loss is no finite number, before it has spoiled a weight; ReplicaError.
        """
        while self.step < steps:
            yield self._take_step()

    def _take_step(self) -> StepReport:
        step, network = self.step, self.network
        rng = np.random.default_rng([self.seed, step, self.exchange.rank])
        for layer in network.named_layers().values():
            if isinstance(layer, Dropout):
                layer.rng = rng
        inputs, targets = self.minibatch(step, rng)
        with np.errstate(invalid="ignore", over="ignore"):  # the check below says it better than a warning
            loss, output_gradient = binary_cross_entropy(network.forward(inputs, training=True), targets)
            network.backward_parameters(output_gradient)
            gradients = network.gradients()
            loss = self.exchange.average(gradients, loss)
            norm = clip_gradients(gradients, self.maximum_gradient_norm)
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise DivergedError(f"step {step}: the loss is {loss}, the gradient's length {norm}")
        self.optimizer.learning_rate = self._highest_learning_rate * self.schedule(step)
        self.optimizer.step(network.parameters(), gradients)
        self._average.update(network.parameters() | network.state(), step=step)
        self.step += 1
        return StepReport(step, loss, norm, self.optimizer.learning_rate)

    def averaged_network(self) -> Network:
        """A network of its own with the averaged weights: the one to validate and to ship."""
        network = build_network(self.network.architecture(), rng=np.random.default_rng(0))
        network.load(self._average.arrays)
        return network

    def checkpoint(
        self, *, identity: dict[str, Any], history: list[dict[str, float]], best: Mapping[str, Array]
    ) -> Checkpoint:
        """All of it, to be saved before the next step; `best` is what validation liked best so far."""
        arrays = {
            "parameters": self.network.parameters(),
            "state": self.network.state(),
            "average": self._average.arrays,
            "optimizer": self.optimizer.memory,
            "best": best,
        }
        return Checkpoint(self.step, identity, history, arrays)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint.

        Raises: CheckpointError if its arrays are not this network's; nothing is changed then.
        """
        arrays = checkpoint.arrays
        if arrays.get("average", {}).keys() != self._average.arrays.keys():
            raise CheckpointError("the checkpoint's averaged weights are not this network's")
        try:
            self.network.load({**arrays.get("parameters", {}), **arrays.get("state", {})})
        except ShapeError as error:
            raise CheckpointError(f"the checkpoint is of another network: {error}") from error
        self._average.arrays = {name: np.array(value) for name, value in arrays["average"].items()}
        self.optimizer.memory = {name: np.array(value) for name, value in arrays.get("optimizer", {}).items()}
        self.step = checkpoint.step
