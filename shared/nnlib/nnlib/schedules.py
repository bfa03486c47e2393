"""The learning rate over a training, as a factor 0..1 of its highest value.

A schedule is called with the step, from 0, and knows how many there will be.
"""

import math
from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    def __call__(self, step: int) -> float:
        """The factor for this step."""


@dataclass(frozen=True)
class WarmUpCosine:
    """Up in a straight line for warm_up_steps, then down along half a cosine to 0 at the end.

    Source: Loshchilov and Hutter 2017, SGDR, equation 5; warm-up: Goyal et al. 2017, section 2.2.
    """

    steps: int
    warm_up_steps: int = 0

    def __call__(self, step: int) -> float:
        if step < self.warm_up_steps:
            return (step + 1) / self.warm_up_steps
        return (1 + math.cos(math.pi * (step - self.warm_up_steps) / max(1, self.steps - self.warm_up_steps))) / 2


@dataclass(frozen=True)
class WarmUpHoldDecay:
    """Up in a straight line for warm_up_steps, level, and for the last decay_steps down in a straight line to 0.

    While it is level a training can be prolonged without having been in vain, which a cosine does not allow.

    Source: Hägele et al. 2024, Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations.
    """

    steps: int
    warm_up_steps: int = 0
    decay_steps: int = 0

    def __call__(self, step: int) -> float:
        if step < self.warm_up_steps:
            return (step + 1) / self.warm_up_steps
        return min(1.0, (self.steps - step) / max(1, self.decay_steps))
