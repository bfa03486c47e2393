"""A folded network answers what the trained one does, in fewer steps."""

import numpy as np
import pytest
from nnlib.folding import fold
from nnlib.layers import BatchNorm, Conv2D, Dropout, GlobalAveragePool, Linear, ReLU, Residual
from nnlib.network import Network

RNG = np.random.default_rng(0)


def trained_network():
    block = Residual(
        [
            Conv2D(4, 4, kernel=3, padding=1, bias=False, rng=RNG),
            BatchNorm(4),
            ReLU(),
            Conv2D(4, 4, kernel=1, rng=RNG),
            BatchNorm(4),
        ]
    )
    network = Network(
        [
            Conv2D(3, 4, kernel=3, stride=2, padding=1, bias=False, rng=RNG),
            BatchNorm(4),
            ReLU(),
            block,
            GlobalAveragePool(),
            Dropout(0.5, rng=RNG),
            Linear(4, 1, rng=RNG),
        ]
    )
    for name, value in (network.parameters() | network.state()).items():
        value += RNG.random(value.shape) * (0.1 if "weight" in name else 1)
    return network


def test_folding_changes_no_answer():
    network, images = trained_network(), RNG.normal(size=(5, 8, 8, 3))
    np.testing.assert_allclose(fold(network).forward(images), network.forward(images), rtol=1e-12)


def test_a_folded_network_has_no_batch_norm_no_dropout_and_no_state():
    folded = fold(trained_network())
    kinds = {type(layer).__name__ for layer in folded.named_layers().values()}
    assert kinds == {"Conv2D", "ReLU", "GlobalAveragePool", "Linear"}
    assert not folded.state()


def test_folding_leaves_the_trained_network_alone():
    network = trained_network()
    before = {name: value.copy() for name, value in (network.parameters() | network.state()).items()}
    for value in fold(network).parameters().values():
        value += 1
    for name, value in (network.parameters() | network.state()).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_batch_norm_without_convolution_is_refused_by_name():
    with pytest.raises(ValueError, match="BatchNorm that does not follow a Conv2D"):
        fold(Network([ReLU(), BatchNorm(3)]))
