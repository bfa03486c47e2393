"""Arrays that are allocated once and used again in every call.

A minibatch's activations are megabytes: asking the system for them in every step costs as much as some layers do.
"""

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array


class Workspace(threading.local):
    """Named arrays, made anew only when their shape or dtype changes. Every thread sees its own.

    What is handed to others must not live here when serving: the next call would overwrite it.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array with arbitrary content: what an earlier call left in it."""
        return self._get(name, shape, dtype, np.empty)

    def zero_bordered(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array that was all zero when made: its border still is, if the user writes only inside it."""
        return self._get(name, shape, dtype, np.zeros)

    def shared(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array over the same memory as others of this name: their content is lost once it is written to.

        The less memory is used in turn, the more of it is still in the processor's cache.
        """
        size = math.prod(shape)
        memory = self._arrays.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = self._arrays[name] = np.empty(size, dtype)
        return memory[:size].reshape(shape)

    def _get(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, make: Any) -> Array:
        array = self._arrays.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._arrays[name] = make(shape, dtype)
        return array
