"""Arrays that are allocated once and used again in every training step.

A minibatch's activations are megabytes: asking the system for them in every step costs as much as some layers do.
A layer keeps a Workspace for training, when it is used by one thread only; serving allocates what it needs in the call, so one
network may answer several threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Workspace:
    """Named arrays, made anew only when their shape or dtype changes."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[np.floating]] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
        """An array with arbitrary content: what an earlier step left in it."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = np.empty(shape, dtype)
            self._arrays[name] = array
        return array

    def zero_bordered(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
        """An array that was all zero when made, for users who write only its inside."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = np.zeros(shape, dtype)
            self._arrays[name] = array
        return array
