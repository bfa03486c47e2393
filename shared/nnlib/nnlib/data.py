"""Cutting a data set into minibatches."""

from collections.abc import Iterator

import numpy as np

from nnlib.arrays import Array, check_shape


def minibatches(
    inputs: Array, targets: Array, *, batch_size: int, epochs: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """Go through all samples `epochs` times, each time in a new random order; the last minibatch may be smaller.

    Shapes: inputs (samples, ...), targets (samples,); yielded (batch, ...) and (batch,).
    Raises: ShapeError if the two have different lengths; ValueError if batch_size is not positive.
    """
    check_shape(targets, (len(inputs),))
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected at least 1")
    for _ in range(epochs):
        order = rng.permutation(len(inputs))
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            yield inputs[chosen], targets[chosen]
