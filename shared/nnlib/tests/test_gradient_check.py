"""Every gradient against its slope, and the check itself against gradients that are wrong."""

import numpy as np
import pytest
from nnlib.gradient_check import GradientError, check_gradient, check_layer, check_network
from nnlib.layers import LAYERS, Flatten, Linear, ReLU
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
    ]
]


@pytest.mark.parametrize(("layer", "shape"), CASES, ids=lambda value: getattr(type(value), "__name__", ""))
def test_every_layer_passes(layer, shape):
    check_layer(layer, away_from_zero(shape), rng=RNG)


def test_no_layer_is_left_out():
    assert {type(layer).__name__ for layer, _ in CASES} == set(LAYERS)


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
