"""A network made ready to answer: the function of Network.forward_with_hidden() in less time.

Nearly all of the time goes into convolutions, so most of what is done is done to them. Linear -> ReLU is one step, and
so is convolution -> bias -> shortcut -> ReLU, whose parts work in place; other layers are called as they are. All that
a convolution needs beside its inputs is allocated once a thread, and again when the shape of the inputs changes.
Convolutions of 3x3 with stride 1 are computed by Winograd's method.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnlib.arrays import Array, check_shape
from nnlib.layers import Conv2D, Layer, Linear, ReLU, Residual
from nnlib.layers.winograd import WinogradConvolution, transform_weight
from nnlib.layers.workspace import Workspace
from nnlib.network import Network

IMAGES_AT_ONCE = 2  # go through all steps together: the arrays of more do not stay in the processor's cache

Step = Callable[[Array], Array]


class ServingNetwork:
    """The answers of a network whose parameters change no more. Safe to use from many threads."""

    def __init__(self, network: Network) -> None:
        *body, last_layer = network.layers
        self._steps = _compile(body, Workspace())
        self._last_step = _Affine(last_layer) if isinstance(last_layer, Linear) else last_layer.forward

    def forward_with_hidden(self, inputs: Array) -> tuple[Array, Array]:
        """What Network.forward_with_hidden() says, but for rounding.

        Shapes: inputs (batch, ...).
        Returns: logits (batch, 1), activations of the last hidden layer (batch, units).
        Raises: ShapeError.
        """
        starts = range(0, max(len(inputs), 1), IMAGES_AT_ONCE)
        parts = [_run(self._steps, inputs[start : start + IMAGES_AT_ONCE]).copy() for start in starts]
        hidden = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return self._last_step(hidden), hidden


def _run(steps: Sequence[Step], activations: Array) -> Array:
    for step in steps:
        activations = step(activations)
    return activations


def _compile(layers: Sequence[Layer], workspace: Workspace) -> list[Step]:
    steps: list[Step] = []
    for layer in layers:
        last = steps[-1] if steps else None
        match layer:
            case Conv2D():
                steps.append(_Convolution(layer, workspace))
            case Linear():
                steps.append(_Affine(layer))
            case Residual():
                steps.append(_compile_residual(layer, workspace))
            case ReLU() if isinstance(last, _Affine | _Convolution):
                last.rectify = True
            case ReLU() if isinstance(last, _Shortcut):
                last.convolution.rectify = True
            case _:
                steps.append(layer.forward)
    return steps


def _compile_residual(layer: Residual, workspace: Workspace) -> Step:
    steps = _compile(layer.body, workspace)
    if steps and isinstance(steps[-1], _Convolution) and not steps[-1].rectify:
        return _Shortcut(steps[:-1], steps[-1])
    return layer.forward


class _Affine:
    """outputs = inputs @ weight + bias, then rectified if `rectify`."""

    def __init__(self, layer: Linear) -> None:
        self.rectify = False
        self._weight, self._bias = layer.parameters["weight"], layer.parameters["bias"]
        self._in_features = len(self._weight)

    def __call__(self, inputs: Array) -> Array:
        if inputs.ndim != 2 or inputs.shape[1] != self._in_features:
            check_shape(inputs, ("batch", self._in_features))
        outputs: Array = (inputs[:, np.newaxis] @ self._weight)[:, 0]  # one by one: what an image gets is its own
        outputs += self._bias
        return np.maximum(outputs, 0, out=outputs) if self.rectify else outputs


class _Shortcut:
    """A residual block whose last convolution adds the inputs of the block to its outputs."""

    def __init__(self, steps: Sequence[Step], convolution: "_Convolution") -> None:
        self._steps, self.convolution = steps, convolution

    def __call__(self, inputs: Array) -> Array:
        return self.convolution(_run(self._steps, inputs), shortcut=inputs)


class _Convolution:
    """outputs = convolution(inputs) + bias + shortcut, then rectified if `rectify`. The next call overwrites them."""

    def __init__(self, layer: Conv2D, workspace: Workspace) -> None:
        self.rectify = False
        self._layer, self._workspace = layer, workspace
        weight = layer.parameters["weight"]
        self._matrix = weight.reshape(-1, weight.shape[-1])
        self._bias = layer.parameters.get("bias", np.zeros_like(weight[0, 0, 0]))
        self._winograd_weight = transform_weight(weight) if (layer.kernel, layer.stride) == (3, 1) else None
        self._of_thread = threading.local()

    def __call__(self, inputs: Array, shortcut: Array | None = None) -> Array:
        buffers: _Buffers | None = getattr(self._of_thread, "buffers", None)
        if buffers is None or buffers.input_shape != inputs.shape:
            buffers = self._of_thread.buffers = self._allocate(inputs)
        np.copyto(buffers.inside, inputs)
        buffers.convolve()
        outputs = buffers.outputs
        if shortcut is not None:
            check_shape(shortcut, outputs.shape)
            np.add(outputs, shortcut, out=outputs)
        if self.rectify:
            np.maximum(outputs, buffers.zeros, out=outputs)  # several times as fast as with the number 0
        return outputs

    def _allocate(self, inputs: Array) -> "_Buffers":
        layer, dtype = self._layer, self._matrix.dtype
        outputs = np.empty(layer.output_shape(inputs), dtype)
        batch, height, width, channels = inputs.shape
        padding = layer.padding
        padded = np.zeros((batch, height + 2 * padding, width + 2 * padding, channels), dtype)
        inside = padded[:, padding : padding + height, padding : padding + width]
        convolve: Callable[[], None]
        if self._winograd_weight is not None and outputs.shape[1] % 2 == outputs.shape[2] % 2 == 0:
            convolve = WinogradConvolution(padded, outputs, self._winograd_weight, self._bias, self._workspace)
        else:
            convolve = _PatchConvolution(padded, outputs, layer, self._matrix, self._bias, self._workspace)
        return _Buffers(inputs.shape, inside, convolve, outputs, np.zeros_like(outputs))


@dataclass(frozen=True)
class _Buffers:
    """Of one convolution, one thread and one shape of inputs: `convolve` turns `inside` into `outputs`."""

    input_shape: tuple[int, ...]
    inside: Array
    convolve: Callable[[], None]
    outputs: Array
    zeros: Array


class _PatchConvolution:
    """Patches as the rows of a matrix, as in Conv2D, with everything allocated beforehand.

    Shapes: padded (batch, ..., ..., in_channels), outputs (batch, height, width, out_channels),
    matrix (kernel * kernel * in_channels, out_channels), bias (out_channels,).
    """

    def __init__(
        self, padded: Array, outputs: Array, layer: Conv2D, matrix: Array, bias: Array, workspace: Workspace
    ) -> None:
        batch, height, width, out_channels = outputs.shape
        self._matrix, self._outputs = matrix, outputs.reshape(-1, out_channels)
        by_image, by_row, by_column, by_channel = padded.strides
        shape = (batch, height, width, layer.kernel, layer.kernel * padded.shape[-1])
        strides = (by_image, layer.stride * by_row, layer.stride * by_column, by_row, by_channel)
        self._windows = as_strided(padded, shape, strides, writeable=False)
        self._patches = workspace.shared("odd", shape, padded.dtype)
        self._rows = self._patches.reshape(len(self._outputs), len(matrix))
        self._lines, self._line_of_bias = outputs.reshape(batch * height, width * out_channels), np.tile(bias, width)

    def __call__(self) -> None:
        """Read `padded`, write `outputs`."""
        np.copyto(self._patches, self._windows)
        np.matmul(self._rows, self._matrix, out=self._outputs)
        np.add(self._lines, self._line_of_bias, out=self._lines)
