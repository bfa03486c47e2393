"""The exported model answers as ours does, to 1e-5, in ONNX Runtime: a runtime written by other people."""

import numpy as np
import pytest
from nnlib.artifact import load_model, save_model
from nnlib.cli import main
from nnlib.layers import (
    LAYERS,
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
from nnlib.network import Network

pytest.importorskip("onnx", reason="the package onnx, the extra for exporting, is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime, which answers in these tests, is not installed")

RNG = np.random.default_rng(0)
DESCRIPTION = {
    "name": "exported",
    "version": "1",
    "created": "2026-01-01T00:00:00Z",
    "preprocessing": {"size": 64, "resample": "bicubic", "scale": 1 / 255, "mean": [0.4, 0.5, 0.6], "std": [0.2, 1, 2]},
    "classes": ["non-cat", "cat"],
    "temperature": 0.7,
    "conformal": {"coverage": 0.9, "threshold": 0.6},
    "metrics": {},
    "confidence": {"bin_edges": [0.5, 0.75, 1.0]},
    "reference": None,
}


def convolutional():
    """Every layer but Flatten; strides and paddings that do not divide the picture."""
    normalization = BatchNorm(6)
    normalization.parameters = {"scale": RNG.normal(1, 0.3, 6), "shift": RNG.normal(size=6)}
    normalization.state = {"mean": RNG.normal(size=6), "variance": RNG.uniform(0.5, 2, 6)}
    return [
        Conv2D(3, 6, kernel=5, stride=3, padding=2, bias=False, rng=RNG),
        normalization,
        ReLU(),
        Residual([Conv2D(6, 6, kernel=3, padding=1, rng=RNG), SiLU()]),
        MaxPool2D(2),
        Dropout(0.5, rng=RNG),
        AveragePool2D(2),
        GlobalAveragePool(),
        Linear(6, 1, rng=RNG),
    ]


def dense():
    return [MaxPool2D(4), Flatten(), Linear(16 * 16 * 3, 5, rng=RNG), ReLU(), Linear(5, 1, rng=RNG)]


def answer(file, pixels):
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(["cat_probability"], {"pixels": pixels})[0]


@pytest.mark.parametrize("layers", [convolutional, dense])
@pytest.mark.parametrize("batch", [1, 5])
def test_onnx_runtime_gives_the_same_probabilities(layers, batch, tmp_path, capsys):
    save_model(tmp_path / "model", Network(layers()), DESCRIPTION)
    assert main(["export", "--model", str(tmp_path / "model"), str(tmp_path / "model.onnx")]) == 0
    pixels = RNG.integers(0, 256, (batch, 64, 64, 3), dtype=np.uint8)
    ours = load_model(tmp_path / "model").predict(pixels).cat_probability
    theirs = answer(tmp_path / "model.onnx", pixels)
    assert theirs.shape == ours.shape
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_every_layer_is_exported_in_one_of_these_tests():
    innermost = Network([*convolutional(), *dense()]).named_layers().values()
    assert {type(layer) for layer in innermost} | {Residual} == set(LAYERS.values())
