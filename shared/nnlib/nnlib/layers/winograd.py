"""Convolutions of 3x3 with stride 1, by 16 multiplications where the definition has 36.

A tile of 4x4 pixels gives 2x2 outputs. Once tile and weight are transformed they need only be multiplied number by
number; with channels, that is a matrix product for each of the 16 positions:

    outputs = _OUTPUT @ ((_WEIGHT @ weight) * (_TILE @ tile))

where each of the three acts on both axes of a square, hence the Kronecker products. They hold nothing but 0, 1, -1 and
halves and quarters, so no precision is lost to speak of.

Source: Lavin and Gray 2015, Fast Algorithms for Convolutional Neural Networks, section 4.1, F(2x2, 3x3).
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnlib.arrays import Array
from nnlib.layers.workspace import Workspace


def _on_both_axes(matrix: list[list[float]]) -> Array:
    return np.kron(np.array(matrix), np.array(matrix))


_TILE = _on_both_axes([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
_WEIGHT = _on_both_axes([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
_OUTPUT = _on_both_axes([[1, 1, 1, 0], [0, 1, -1, -1]])
_CENTRE = 5  # the position whose product is a term of each of the 4 outputs: to add a bias there is to add it to all


def transform_weight(weight: Array) -> Array:
    """Shapes: weight (3, 3, in_channels, out_channels), result (16, in_channels, out_channels)."""
    transformed: Array = _WEIGHT.astype(weight.dtype) @ weight.reshape(9, -1)
    return transformed.reshape(16, *weight.shape[2:])


class WinogradConvolution:
    """From one array to another, with everything in between prepared beforehand.

    Shapes: padded (batch, height + 2, width + 2, in_channels), outputs (batch, height, width, out_channels), height and
    width even; weight as transform_weight() gives it; bias (out_channels,).
    """

    def __init__(self, padded: Array, outputs: Array, weight: Array, bias: Array, workspace: Workspace) -> None:
        dtype = outputs.dtype
        batch, height, width, out_channels = outputs.shape
        rows, columns, channels = height // 2, width // 2, padded.shape[-1]
        self._weight, self._bias = weight, bias
        self._tile_transform, self._output_transform = _TILE.astype(dtype), _OUTPUT.astype(dtype)

        # Each array is dead when the next but one is written: two pieces of memory are enough.
        self._windows = _squares(padded, 4, (batch, rows, columns))
        self._tiles = workspace.shared("odd", self._windows.shape, dtype)
        self._transformed = workspace.shared("even", (16, batch * rows * columns, channels), dtype)
        self._products = workspace.shared("odd", (16, batch * rows * columns, out_channels), dtype)
        self._output_tiles = workspace.shared("even", (2, 2, batch, rows, columns, out_channels), dtype)
        self._outputs = _squares(outputs, 2, (batch, rows, columns))

        # One row of tiles at a time stays in the first-level cache, and OpenBLAS is faster at small products.
        by_row = (16, batch * rows, columns * channels)
        self._tile_rows, self._transformed_rows = (
            array.reshape(by_row).swapaxes(0, 1) for array in (self._tiles, self._transformed)
        )

    def __call__(self) -> None:
        """Read `padded`, write `outputs`."""
        np.copyto(self._tiles, self._windows)
        np.matmul(self._tile_transform, self._tile_rows, out=self._transformed_rows)
        np.matmul(self._transformed, self._weight, out=self._products)
        self._products[_CENTRE] += self._bias
        np.matmul(self._output_transform, self._products.reshape(16, -1), out=self._output_tiles.reshape(4, -1))
        np.copyto(self._outputs, self._output_tiles)


def _squares(images: Array, size: int, grid: tuple[int, int, int]) -> Array:
    """A view of every square of size x size pixels, two pixels apart: (size, size, batch, rows, columns, channels)."""
    by_image, by_row, by_column, by_channel = images.strides
    strides = (by_row, by_column, by_image, 2 * by_row, 2 * by_column, by_channel)
    return as_strided(images, (size, size, *grid, images.shape[-1]), strides)
