"""A model for other runtimes: the same answers from an ONNX file, preprocessing of the pixels and temperature included.

Inputs: pixels, uint8 [batch, 64, 64, 3], as preprocess() gives them. Outputs: cat_probability, float32 [batch].
ONNX keeps images as (batch, channel, height, width), so there is one transposition at the beginning, and one before a
layer that looks at the pixels in order. Needs the package onnx: pip install catnet-nnlib[onnx].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nnlib.arrays import Array
from nnlib.layers import (
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    Linear,
    MaxPool2D,
    ReLU,
    Residual,
    SiLU,
)
from nnlib.model import Model
from nnlib.preprocessing import IMAGE_SIZE

OPSET = 17


def to_onnx(model: Model) -> bytes:
    """The model as the bytes of an ONNX file, checked by onnx itself.

    Raises: ValueError if a layer has no counterpart here.
    """
    graph = _Graph()
    manifest = model.manifest
    normalization = manifest.normalization
    images = graph.add("Cast", ["pixels"], to=TensorProto.FLOAT)
    images = graph.add("Mul", [images, graph.constant(normalization.scale)])
    images = graph.add("Sub", [images, graph.constant(normalization.mean)])
    images = graph.add("Div", [images, graph.constant(normalization.std)])
    logits = graph.chain(model.network.layers, graph.add("Transpose", [images], perm=[0, 3, 1, 2]))
    logits = graph.add("Div", [logits, graph.constant(manifest.temperature)])
    last = graph.add("Sigmoid", [logits])
    axis = graph.constant([1], np.int64)
    graph.nodes.append(helper.make_node("Squeeze", [last, axis], ["cat_probability"]))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", IMAGE_SIZE, IMAGE_SIZE, 3])
    said = helper.make_tensor_value_info("cat_probability", TensorProto.FLOAT, ["batch"])
    built = helper.make_model(
        helper.make_graph(graph.nodes, f"{manifest.name}-{manifest.version}", [pixels], [said], graph.arrays),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=9,
        producer_name="nnlib",
    )
    onnx.checker.check_model(built, full_check=True)
    data: bytes = built.SerializeToString()
    return data


class _Graph:
    """Nodes and constants as they come; every value gets a number for a name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []

    def constant(self, value: object, dtype: type[np.generic] = np.float32) -> str:
        name = f"constant{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(value, dtype)), name))
        return name

    def add(self, operation: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def chain(self, layers: Sequence[Layer], value: str) -> str:
        for layer in layers:
            value = self.layer(layer, value)
        return value

    def layer(self, layer: Layer, value: str) -> str:
        match layer:
            case Conv2D():
                return self._convolution(layer, value)
            case Linear():
                product = self.add("MatMul", [value, self.constant(layer.parameters["weight"])])
                return self.add("Add", [product, self.constant(layer.parameters["bias"])])
            case BatchNorm():
                factor, offset = (self.constant(_by_channel(array)) for array in layer.affine())
                return self.add("Add", [self.add("Mul", [value, factor]), offset])
            case ReLU():
                return self.add("Relu", [value])
            case SiLU():
                return self.add("Mul", [value, self.add("Sigmoid", [value])])
            case MaxPool2D():
                return self.add("MaxPool", [value], kernel_shape=[layer.size] * 2, strides=[layer.size] * 2)
            case AveragePool2D():
                return self.add("AveragePool", [value], kernel_shape=[layer.size] * 2, strides=[layer.size] * 2)
            case GlobalAveragePool():
                return self.add("Flatten", [self.add("GlobalAveragePool", [value])], axis=1)
            case Flatten():
                return self.add("Flatten", [self.add("Transpose", [value], perm=[0, 2, 3, 1])], axis=1)
            case Dropout():
                return value
            case Residual():
                return self.add("Add", [value, self.chain(layer.body, value)])
            case _:
                raise ValueError(f"{type(layer).__name__} cannot be exported to ONNX")

    def _convolution(self, layer: Conv2D, value: str) -> str:
        inputs = [value, self.constant(layer.parameters["weight"].transpose(3, 2, 0, 1))]
        if "bias" in layer.parameters:
            inputs.append(self.constant(layer.parameters["bias"]))
        return self.add("Conv", inputs, strides=[layer.stride] * 2, pads=[layer.padding] * 4)


def _by_channel(vector: Array) -> Array:
    return vector[:, np.newaxis, np.newaxis]
