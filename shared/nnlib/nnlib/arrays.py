"""The array type of the network, and the one check of shapes that all of it uses."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nnlib.errors import ShapeError

Array: TypeAlias = npt.NDArray[np.floating[Any]]


def check_shape(array: npt.NDArray[Any], expected: tuple[str | int, ...]) -> None:
    """Compare a shape with a pattern: a number must match, a name stands for any length.

    Raises: ShapeError with both shapes.
    """
    shape = array.shape
    if shape == expected:
        return
    fits = len(shape) == len(expected)
    for got, want in zip(shape, expected, strict=False):
        fits = fits and (got == want or isinstance(want, str))
    if not fits:
        raise ShapeError(f"got an array of shape {shape}, expected ({', '.join(map(str, expected))})")
