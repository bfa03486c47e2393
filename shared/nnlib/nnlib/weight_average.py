"""The moving average of a network's weights: a calmer network than any single step leaves.

Source: Polyak and Juditsky 1992, doi:10.1137/0330046; the exponential form and its warm-up as in Tarvainen and
Valpola 2017.
"""

from collections.abc import Mapping

import numpy as np

from nnlib.arrays import Array


class WeightAverage:
    """average += (1 - decay) * (value - average), for every named array, after each step.

    At the beginning the decay is smaller, (1 + step) / (10 + step), so that the random start is soon forgotten.
    """

    def __init__(self, arrays: Mapping[str, Array], *, decay: float) -> None:
        self.decay = decay
        self.arrays = {name: np.array(value) for name, value in arrays.items()}

    def update(self, arrays: Mapping[str, Array], *, step: int) -> None:
        """Take in what the parameters are after a step, counted from 0. Shapes: as given at the start."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, average in self.arrays.items():
            average += share * (arrays[name] - average)
