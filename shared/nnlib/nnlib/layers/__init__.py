"""The steps a network is made of, one concept a file."""

from nnlib.layers.activations import ReLU, SiLU
from nnlib.layers.batch_norm import BatchNorm
from nnlib.layers.convolution import Conv2D
from nnlib.layers.dropout import Dropout
from nnlib.layers.layer import Layer, name_layers
from nnlib.layers.linear import Flatten, Linear
from nnlib.layers.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from nnlib.layers.residual import Residual

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        AveragePool2D,
        BatchNorm,
        Conv2D,
        Dropout,
        Flatten,
        GlobalAveragePool,
        Linear,
        MaxPool2D,
        ReLU,
        Residual,
        SiLU,
    )
}

__all__ = [
    "LAYERS",
    "AveragePool2D",
    "BatchNorm",
    "Conv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePool",
    "Layer",
    "Linear",
    "MaxPool2D",
    "ReLU",
    "Residual",
    "SiLU",
    "name_layers",
]
