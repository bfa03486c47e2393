"""How weights start: small enough not to saturate, different enough to learn different things.

An initializer is called as (rng, shape, fan_in) and returns an array of that shape.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from nnlib.arrays import Array

Initializer: TypeAlias = Callable[[np.random.Generator, tuple[int, ...], int], Array]


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Array:
    """Normal with standard deviation sqrt(2 / fan_in): keeps the scale of activations through ReLU.

    Source: He et al. 2015, "Delving Deep into Rectifiers", section 2.2.
    """
    return rng.normal(0.0, np.sqrt(2 / fan_in), shape)


def zeros(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Array:
    """All zero: for a network whose parameters are about to be read from a file."""
    return np.zeros(shape)
