"""Two-dimensional convolution as a matrix product over patches.

Images are (batch, height, width, channel): the pixels under one row of the kernel are then neighbours in memory, so
that copying patches (im2col) moves long runs. Patches are copied for a few images at a time, as many as stay in the
processor's cache, and copied again in backward(): that is cheaper than writing all of them to memory and reading them
back.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np

from nnlib.arrays import Array, check_shape
from nnlib.errors import ShapeError
from nnlib.initializers import Initializer, he_normal
from nnlib.layers.layer import Layer, check_positive
from nnlib.layers.workspace import Workspace

CHUNK_BYTES = 512 * 1024  # of patches at a time: half of a common second-level cache


class Conv2D(Layer):
    """Convolution: outputs[b, i, j] = bias + sum over (u, v) of padded[b, stride i + u, stride j + v] @ weight[u, v].

    Shapes: inputs (batch, height, width, in_channels), weight (kernel, kernel, in_channels, out_channels),
    bias (out_channels,), outputs (batch, (height + 2 padding - kernel) // stride + 1, the same of width, out_channels).
    Raises: ShapeError if the inputs do not have in_channels or are smaller than the kernel; ValueError if an argument
    makes no sense.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        rng: np.random.Generator,
        initializer: Initializer = he_normal,
    ) -> None:
        super().__init__()
        check_positive(in_channels=in_channels, out_channels=out_channels, kernel=kernel, stride=stride)
        if not 0 <= padding < kernel:
            raise ValueError(f"padding is {padding!r}, expected at least 0 and less than the kernel, {kernel}")
        self.kernel, self.stride, self.padding = kernel, stride, padding
        fan_in = kernel * kernel * in_channels
        self.parameters = {"weight": initializer(rng, (kernel, kernel, in_channels, out_channels), fan_in)}
        if bias:  # a batch normalisation that follows has its own
            self.parameters["bias"] = np.zeros(out_channels)
        self._workspace = Workspace()

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        weight = self.parameters["weight"]
        out_channels = weight.shape[-1]
        shape = self.output_shape(inputs)
        outputs = self._workspace.empty("outputs", shape, weight.dtype) if training else np.empty(shape, weight.dtype)
        matrix = weight.reshape(-1, out_channels)
        for images, rows in _Patches(inputs, self.kernel, self.stride, self.padding, self._workspace):
            np.matmul(rows, matrix, out=outputs[images].reshape(-1, out_channels))
        if "bias" in self.parameters:
            outputs += self.parameters["bias"]
        if training:
            self._inputs = inputs
        return outputs

    def backward(self, output_gradient: Array) -> Array:
        self.backward_parameters(output_gradient)
        if self.stride == 1:
            return self._input_gradient_by_convolution(output_gradient)
        return self._input_gradient_by_scattering(output_gradient)

    def backward_parameters(self, output_gradient: Array) -> None:
        weight = self.parameters["weight"]
        out_channels = weight.shape[-1]
        gradient = np.zeros((weight.size // out_channels, out_channels), weight.dtype)
        product = np.empty_like(gradient)
        for images, rows in _Patches(self._inputs, self.kernel, self.stride, self.padding, self._workspace):
            np.matmul(rows.T, output_gradient[images].reshape(-1, out_channels), out=product)
            gradient += product
        self.gradients = {"weight": gradient.reshape(weight.shape)}
        if "bias" in self.parameters:
            self.gradients["bias"] = output_gradient.sum(axis=(0, 1, 2))

    def _input_gradient_by_convolution(self, output_gradient: Array) -> Array:
        """With stride 1 it is the convolution of the output gradient with the weights turned by 180 degrees."""
        turned = self.parameters["weight"][::-1, ::-1].swapaxes(2, 3)
        in_channels = turned.shape[-1]
        matrix = turned.reshape(-1, in_channels)
        input_gradient = self._workspace.empty("input_gradient", self._inputs.shape, matrix.dtype)
        for images, rows in _Patches(output_gradient, self.kernel, 1, self.kernel - 1 - self.padding, self._workspace):
            np.matmul(rows, matrix, out=input_gradient[images].reshape(-1, in_channels))
        return input_gradient

    def _input_gradient_by_scattering(self, output_gradient: Array) -> Array:
        """With a larger stride: the gradient of every patch, added to where the patch was copied from (col2im)."""
        weight = self.parameters["weight"]
        batch, height, width, in_channels = self._inputs.shape
        _, out_height, out_width, out_channels = output_gradient.shape
        kernel, stride, padding = self.kernel, self.stride, self.padding
        matrix = np.ascontiguousarray(weight.reshape(-1, out_channels).T)
        patch_shape = (out_height, out_width, kernel, kernel, in_channels)
        chunk = _images_per_chunk(batch, patch_shape, weight.itemsize)
        patches = self._workspace.empty("patch_gradient", (chunk, *patch_shape), weight.dtype)
        padded_shape = (chunk, height + 2 * padding, width + 2 * padding, in_channels)
        padded = self._workspace.empty("padded_gradient", padded_shape, weight.dtype)
        input_gradient = self._workspace.empty("input_gradient", self._inputs.shape, weight.dtype)
        for start in range(0, batch, chunk):
            images = slice(start, min(start + chunk, batch))
            count = images.stop - start
            rows = output_gradient[images].reshape(-1, out_channels)
            np.matmul(rows, matrix, out=patches[:count].reshape(len(rows), -1))
            padded[:count] = 0
            for u in range(kernel):
                for v in range(kernel):
                    rows_of_pixels = slice(u, u + stride * out_height, stride)
                    columns_of_pixels = slice(v, v + stride * out_width, stride)
                    padded[:count, rows_of_pixels, columns_of_pixels] += patches[:count, :, :, u, v]
            input_gradient[images] = padded[:count, padding : padding + height, padding : padding + width]
        return input_gradient

    def output_shape(self, inputs: Array) -> tuple[int, int, int, int]:
        """Of what forward() makes of them. Raises: ShapeError as forward()."""
        *_, in_channels, out_channels = self.parameters["weight"].shape
        check_shape(inputs, ("batch", "height", "width", in_channels))
        batch, height, width, _ = inputs.shape
        beyond_kernel = [length + 2 * self.padding - self.kernel for length in (height, width)]
        if min(beyond_kernel) < 0:
            raise ShapeError(
                f"got images of {height}x{width} with padding {self.padding}, smaller than the kernel, {self.kernel}"
            )
        out_height, out_width = (length // self.stride + 1 for length in beyond_kernel)
        return batch, out_height, out_width, out_channels

    def config(self) -> dict[str, Any]:
        *_, in_channels, out_channels = self.parameters["weight"].shape
        return {
            "in_channels": in_channels,
            "out_channels": out_channels,
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "bias": "bias" in self.parameters,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, rng: np.random.Generator, initializer: Initializer) -> Self:
        return cls(**config, rng=rng, initializer=initializer)


class _Patches:
    """Iterates over (slice of the batch, matrix whose rows are the patches of those images).

    Shapes: images (batch, height, width, channels), a matrix (patches, kernel * kernel * channels) with
    images * out_height * out_width patches.
    """

    def __init__(self, images: Array, kernel: int, stride: int, padding: int, workspace: Workspace) -> None:
        batch, height, width, channels = images.shape
        padded_height, padded_width = height + 2 * padding, width + 2 * padding
        self.out_height = (padded_height - kernel) // stride + 1
        self.out_width = (padded_width - kernel) // stride + 1
        self._images = images
        self._inside = slice(padding, padding + height), slice(padding, padding + width)
        patch_shape = (self.out_height, self.out_width, kernel, kernel * channels)
        self._chunk = _images_per_chunk(batch, patch_shape, images.itemsize)
        role = f"{height}x{width}x{channels}+{padding}"  # inputs and output gradients alternate
        padded_shape = (self._chunk, padded_height, padded_width, channels)
        self._padded = workspace.zero_bordered(f"padded {role}", padded_shape, images.dtype)
        self._patches = workspace.empty(f"patches {role}", (self._chunk, *patch_shape), images.dtype)
        by_image, by_row, by_column, by_channel = self._padded.strides
        self._windows = np.lib.stride_tricks.as_strided(
            self._padded,
            self._patches.shape,
            (by_image, stride * by_row, stride * by_column, by_row, by_channel),
            writeable=False,
        )

    def __iter__(self) -> Iterator[tuple[slice, Array]]:
        batch = len(self._images)
        rows, columns = self._inside
        for start in range(0, batch, self._chunk):
            images = slice(start, min(start + self._chunk, batch))
            count = images.stop - start
            self._padded[:count, rows, columns] = self._images[images]
            np.copyto(self._patches[:count], self._windows[:count])
            yield images, self._patches[:count].reshape(count * self.out_height * self.out_width, -1)


def _images_per_chunk(batch: int, patch_shape: tuple[int, ...], itemsize: int) -> int:
    return max(1, min(batch, CHUNK_BYTES // (math.prod(patch_shape) * itemsize)))
