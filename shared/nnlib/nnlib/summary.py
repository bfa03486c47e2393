"""A network as a table: its layers, what they give, what they have learnt and what they cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnlib.arrays import Array
from nnlib.layers import Conv2D, Layer, Linear
from nnlib.network import Network


@dataclass(frozen=True)
class LayerSummary:
    """Units: parameters counts numbers, multiply_adds those of one image; output_shape is without the batch."""

    name: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def summarise(network: Network, input_shape: tuple[int, ...]) -> list[LayerSummary]:
    """Run one blank image through the network and look at what every layer gives.

    Shapes: input_shape without the batch.
    Raises: ShapeError if the network does not take such images.
    """
    names = {id(layer): name for name, layer in network.named_layers().items()}
    parameters = next(iter(network.parameters().values()))
    lines: list[LayerSummary] = []
    _summarise(network.layers, np.zeros((1, *input_shape), parameters.dtype), names, lines)
    return lines


def _summarise(layers: Sequence[Layer], inputs: Array, names: dict[int, str], lines: list[LayerSummary]) -> None:
    for layer in layers:
        outputs = layer.forward(inputs)
        if layer.inner_layers():
            _summarise(layer.inner_layers(), inputs, names, lines)
        else:
            count = sum(parameter.size for parameter in layer.parameters.values())
            lines.append(LayerSummary(names[id(layer)], outputs.shape[1:], count, _multiply_adds(layer, outputs.shape)))
        inputs = outputs


def _multiply_adds(layer: Layer, output_shape: tuple[int, ...]) -> int:
    if not isinstance(layer, Conv2D | Linear):
        return 0
    return math.prod(output_shape[1:-1]) * layer.parameters["weight"].size


def format_summary(lines: Sequence[LayerSummary]) -> str:
    """The table as text, with sums."""
    rows = [("layer", "gives", "parameters", "multiply-adds")]
    rows += [
        (line.name, "x".join(map(str, line.output_shape)), f"{line.parameters:,}", f"{line.multiply_adds:,}")
        for line in lines
    ]
    sums = sum(line.parameters for line in lines), sum(line.multiply_adds for line in lines)
    rows.append(("sum", "", f"{sums[0]:,}", f"{sums[1]:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {count:>{widths[2]}}  {cost:>{widths[3]}}".rstrip()
        for name, shape, count, cost in rows
    )
