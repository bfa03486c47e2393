"""Two-dimensional convolution as a matrix product over patches.

Images are (batch, height, width, channel): the pixels under one row of the kernel are then neighbours in memory, so that
copying patches (im2col) moves long runs. Patches are copied for a few images at a time, as many as stay in the processor's
cache, and copied again in backward(): that is cheaper than writing all of them to memory and reading them back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlib.workspace import Workspace

Array = NDArray[np.floating]

CHUNK_BYTES = 512 * 1024  # of patches: half of a common second-level cache


class Conv2D:
    """Convolution: outputs[b, i, j] = sum over (u, v) of padded[b, s i + u, s j + v] @ weight[u, v], plus bias.

    Shapes: inputs (batch, height, width, in_channels), weight (kernel, kernel, in_channels, out_channels),
    bias (out_channels,), outputs (batch, (height + 2 padding - kernel) // stride + 1, likewise width, out_channels).
    Source: He et al. 2015, initial scale sqrt(2 / fan_in).
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
        needs_input_gradient: bool = True,
        rng: np.random.Generator,
    ) -> None:
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.needs_input_gradient = needs_input_gradient
        scale = np.sqrt(2 / (kernel * kernel * in_channels))
        weight = rng.normal(0, scale, (kernel, kernel, in_channels, out_channels)).astype(np.float32)
        self.parameters: dict[str, Array] = {"weight": weight}
        if bias:
            self.parameters["bias"] = np.zeros(out_channels, np.float32)
        self.gradients: dict[str, Array] = {}
        self._workspace = Workspace()

    def output_size(self, size: int) -> int:
        return (size + 2 * self.padding - self.kernel) // self.stride + 1

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        weight = self.parameters["weight"]
        workspace = self._workspace if training else Workspace()
        batch, height, width, _ = inputs.shape
        outputs = workspace.empty(
            "outputs", (batch, self.output_size(height), self.output_size(width), self.out_channels), weight.dtype
        )
        patches = _Patches(inputs, self.kernel, self.stride, self.padding, workspace, "inputs")
        weight_matrix = weight.reshape(-1, self.out_channels)
        for part, matrix in patches:
            np.matmul(matrix, weight_matrix, out=outputs[part].reshape(-1, self.out_channels))
        if "bias" in self.parameters:
            outputs += self.parameters["bias"]
        if training:
            self._inputs = inputs
        return outputs

    def backward(self, output_gradient: Array) -> Array | None:
        """Store the parameter gradients; return the gradient with respect to the inputs, or None if nobody needs it."""
        weight = self.parameters["weight"]
        weight_gradient = np.zeros((weight.size // self.out_channels, self.out_channels), weight.dtype)
        product = np.empty_like(weight_gradient)
        for part, matrix in _Patches(
            self._inputs, self.kernel, self.stride, self.padding, self._workspace, "inputs"
        ):
            np.matmul(matrix.T, output_gradient[part].reshape(-1, self.out_channels), out=product)
            weight_gradient += product
        self.gradients = {"weight": weight_gradient.reshape(weight.shape)}
        if "bias" in self.parameters:
            self.gradients["bias"] = output_gradient.sum(axis=(0, 1, 2))
        if not self.needs_input_gradient:
            return None
        if self.stride == 1:
            return self._input_gradient_by_convolution(output_gradient)
        return self._input_gradient_by_scattering(output_gradient)

    def _input_gradient_by_convolution(self, output_gradient: Array) -> Array:
        """With stride 1 the input gradient is the convolution of the output gradient with the flipped weights."""
        flipped = np.ascontiguousarray(self.parameters["weight"][::-1, ::-1].swapaxes(2, 3))
        flipped_matrix = flipped.reshape(-1, self.in_channels)
        input_gradient = self._workspace.empty("input_gradient", self._inputs.shape, flipped.dtype)
        patches = _Patches(
            output_gradient, self.kernel, 1, self.kernel - 1 - self.padding, self._workspace, "output_gradient"
        )
        for part, matrix in patches:
            np.matmul(matrix, flipped_matrix, out=input_gradient[part].reshape(-1, self.in_channels))
        return input_gradient

    def _input_gradient_by_scattering(self, output_gradient: Array) -> Array:
        """With a larger stride: the gradient of every patch, added where the patch came from (col2im)."""
        weight = self.parameters["weight"]
        batch, height, width, channels = self._inputs.shape
        _, out_height, out_width, _ = output_gradient.shape
        kernel, stride, padding = self.kernel, self.stride, self.padding
        weight_transposed = np.ascontiguousarray(weight.reshape(-1, self.out_channels).T)
        chunk = _images_per_chunk(out_height * out_width * kernel * kernel * channels * weight.itemsize, batch)
        patch_gradient = self._workspace.empty(
            "patch_gradient", (chunk, out_height, out_width, kernel, kernel, channels), weight.dtype
        )
        padded = self._workspace.empty(
            "padded_gradient", (chunk, height + 2 * padding, width + 2 * padding, channels), weight.dtype
        )
        input_gradient = self._workspace.empty("input_gradient", self._inputs.shape, weight.dtype)
        for start in range(0, batch, chunk):
            images = min(chunk, batch - start)
            np.matmul(
                output_gradient[start : start + images].reshape(-1, self.out_channels),
                weight_transposed,
                out=patch_gradient[:images].reshape(-1, weight_transposed.shape[1]),
            )
            padded[:images] = 0
            for u in range(kernel):
                for v in range(kernel):
                    padded[
                        :images, u : u + stride * out_height : stride, v : v + stride * out_width : stride
                    ] += patch_gradient[:images, :, :, u, v]
            input_gradient[start : start + images] = padded[
                :images, padding : padding + height, padding : padding + width
            ]
        return input_gradient


def _images_per_chunk(bytes_per_image: int, batch: int) -> int:
    return max(1, min(batch, CHUNK_BYTES // bytes_per_image))


class _Patches:
    """Iterates over (slice of the batch, matrix whose rows are the patches of those images)."""

    def __init__(self, images: Array, kernel: int, stride: int, padding: int, workspace: Workspace, name: str) -> None:
        batch, height, width, channels = images.shape
        self.out_height = (height + 2 * padding - kernel) // stride + 1
        self.out_width = (width + 2 * padding - kernel) // stride + 1
        self.images, self.kernel, self.stride, self.padding = images, kernel, stride, padding
        row = kernel * channels
        self.chunk = _images_per_chunk(self.out_height * self.out_width * kernel * row * images.itemsize, batch)
        self.padded = workspace.zero_bordered(
            f"padded_{name}", (self.chunk, height + 2 * padding, width + 2 * padding, channels), images.dtype
        )
        self.patches = workspace.empty(
            f"patches_{name}", (self.chunk, self.out_height, self.out_width, kernel, row), images.dtype
        )
        by_image, by_row, by_column, by_channel = self.padded.strides
        self.windows = np.lib.stride_tricks.as_strided(
            self.padded,
            self.patches.shape,
            (by_image, stride * by_row, stride * by_column, by_row, by_channel),
            writeable=False,
        )

    def __iter__(self):
        batch, height, width, _ = self.images.shape
        inside = slice(self.padding, self.padding + height), slice(self.padding, self.padding + width)
        for start in range(0, batch, self.chunk):
            part = slice(start, min(start + self.chunk, batch))
            images = part.stop - part.start
            self.padded[:images, inside[0], inside[1]] = self.images[part]
            np.copyto(self.patches[:images], self.windows[:images])
            yield part, self.patches[:images].reshape(images * self.out_height * self.out_width, -1)
