"""Every gradient against its slope, and the check itself against gradients that are wrong."""

import numpy as np
import pytest
from nnlib.gradient_check import GradientError, check_gradient, check_layer, check_network
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
from nnlib.losses import binary_cross_entropy
from nnlib.network import Network

RNG = np.random.default_rng(7)


def away_from_zero(shape):
    """Normal numbers with a gap of 0.1 around 0, where ReLU has no derivative."""
    values = RNG.normal(size=shape)
    return values + 0.1 * np.sign(values)


CASES = [
    case
    for batch in (1, 2, 7)
    for case in [
        (Flatten(), (batch, 3, 5, 2)),
        (Linear(5, 3, rng=RNG), (batch, 5)),
        (Linear(1, 1, rng=RNG), (batch, 1)),
        (Linear(13, 7, rng=RNG), (batch, 13)),
        (ReLU(), (batch, 11)),
        (ReLU(), (batch, 3, 5, 1)),
        (SiLU(), (batch, 11)),
        (Conv2D(1, 1, kernel=1, rng=RNG), (batch, 1, 1, 1)),
        (Conv2D(3, 4, kernel=3, padding=1, rng=RNG), (batch, 5, 7, 3)),
        (Conv2D(3, 4, kernel=3, rng=RNG), (batch, 5, 7, 3)),
        (Conv2D(2, 3, kernel=5, stride=2, padding=2, bias=False, rng=RNG), (batch, 9, 8, 2)),
        (Conv2D(2, 3, kernel=2, stride=3, rng=RNG), (batch, 7, 9, 2)),
        (Conv2D(2, 3, kernel=4, padding=3, rng=RNG), (batch, 3, 4, 2)),
        (BatchNorm(3), (batch, 3, 5, 3)),
        (BatchNorm(3), (batch + 1, 3)),
        (MaxPool2D(2), (batch, 5, 6, 3)),
        (MaxPool2D(3), (batch, 3, 3, 1)),
        (AveragePool2D(2), (batch, 5, 6, 3)),
        (GlobalAveragePool(), (batch, 3, 5, 2)),
        (Residual([Conv2D(3, 3, kernel=3, padding=1, rng=RNG), SiLU()]), (batch, 5, 4, 3)),
    ]
]


@pytest.mark.parametrize(("layer", "shape"), CASES, ids=lambda value: getattr(type(value), "__name__", ""))
def test_every_layer_passes(layer, shape):
    check_layer(layer, away_from_zero(shape), rng=RNG)


def test_no_layer_is_left_out():
    checked_apart = {"Dropout"}  # below: it has to draw the same numbers again
    assert {type(layer).__name__ for layer, _ in CASES} | checked_apart == set(LAYERS)


def test_dropout_passes_when_it_drops_the_same_numbers():
    layer = Dropout(0.4, rng=RNG)

    def same_drops(changed):
        layer.rng = np.random.default_rng(5)
        return layer.forward(changed, training=True)

    inputs = RNG.normal(size=(6, 5))
    weighting = RNG.normal(size=inputs.shape)
    same_drops(inputs)
    check_gradient(
        "dropout",
        lambda changed: float(np.sum(same_drops(changed) * weighting)),
        inputs,
        layer.backward(weighting),
        rng=RNG,
    )


def test_the_parameters_of_a_layer_inside_a_residual_pass():
    convolution = Conv2D(2, 2, kernel=3, padding=1, rng=RNG)
    residual = Residual([convolution, BatchNorm(2), SiLU()])
    inputs = RNG.normal(size=(3, 4, 5, 2))
    weighting = RNG.normal(size=inputs.shape)
    residual.forward(inputs, training=True)
    residual.backward(weighting)
    weight = convolution.parameters["weight"]

    def loss(changed):
        convolution.parameters["weight"] = changed
        return float(np.sum(residual.forward(inputs, training=True) * weighting))

    check_gradient("inside a residual", loss, weight, convolution.gradients["weight"].copy(), rng=RNG)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_the_loss_passes(batch):
    logits, targets = RNG.normal(size=(batch, 1)), RNG.integers(0, 2, batch).astype(float)
    gradient = binary_cross_entropy(logits, targets)[1]
    check_gradient("loss", lambda changed: binary_cross_entropy(changed, targets)[0], logits, gradient, rng=RNG)


def tiny_network():
    rng = np.random.default_rng(3)
    layers = [Flatten(), Linear(6, 4, rng=rng), ReLU(), Linear(4, 3, rng=rng), ReLU(), Linear(3, 1, rng=rng)]
    for layer in layers:
        if "bias" in layer.parameters:  # zero biases would leave a unit whose inputs are all off exactly at ReLU's kink
            layer.parameters["bias"] = rng.normal(size=layer.parameters["bias"].shape)
    return Network(layers)


@pytest.mark.parametrize("batch", [1, 5])
def test_a_whole_network_passes_coordinate_by_coordinate(batch):
    inputs, targets = away_from_zero((batch, 1, 2, 3)), RNG.integers(0, 2, batch).astype(float)
    check_network(tiny_network(), inputs, targets)


class OffByOnePercent(Linear):
    """A Linear layer with one gradient wrong by 1 %."""

    wrong = "weight"

    def backward(self, output_gradient):
        input_gradient = super().backward(output_gradient)
        if self.wrong == "inputs":
            return 1.01 * input_gradient
        self.gradients[self.wrong] = 1.01 * self.gradients[self.wrong]
        return input_gradient


@pytest.mark.parametrize("wrong", ["weight", "bias", "inputs"])
def test_a_gradient_wrong_by_one_percent_is_caught(wrong):
    layer = OffByOnePercent(5, 3, rng=RNG)
    layer.wrong = wrong
    with pytest.raises(GradientError, match=f"{wrong} along a random direction: backward\\(\\) says"):
        check_layer(layer, RNG.normal(size=(4, 5)), rng=RNG)


def test_a_single_coordinate_wrong_by_one_percent_is_caught_in_a_whole_network():
    class OneCoordinate(Linear):
        def backward(self, output_gradient):
            input_gradient = super().backward(output_gradient)
            self.gradients["weight"][2, 1] *= 1.01
            return input_gradient

    network = tiny_network()
    network.layers[1] = OneCoordinate(6, 4, rng=np.random.default_rng(3))
    network.layers[1].parameters["weight"][2, 1] = 1.0
    network.layers[1].parameters["bias"][:] = 3.0  # all units on, so that the coordinate counts
    with pytest.raises(GradientError, match=r"onecoordinate1\.weight\[2, 1\]"):
        check_network(network, away_from_zero((5, 1, 2, 3)), np.array([1.0, 0, 1, 0, 0]))


def test_the_check_puts_the_parameters_back():
    layer = Linear(5, 3, rng=RNG)
    before = {key: value.copy() for key, value in layer.parameters.items()}
    check_layer(layer, RNG.normal(size=(4, 5)), rng=RNG)
    for key, value in before.items():
        np.testing.assert_array_equal(layer.parameters[key], value)
