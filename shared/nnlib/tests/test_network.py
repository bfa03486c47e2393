import numpy as np
import pytest
from nnlib.errors import ShapeError
from nnlib.layers import Flatten, Linear, ReLU
from nnlib.network import Network, build_network

RNG = np.random.default_rng(0)


def network():
    return Network([Flatten(), Linear(12, 5, rng=RNG), ReLU(), Linear(5, 1, rng=RNG)])


def test_parameters_are_named_after_their_layer():
    assert list(network().parameters()) == ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def test_serving_sees_the_same_logits_as_training_and_what_the_last_layer_saw():
    net, inputs = network(), RNG.normal(size=(3, 2, 2, 3))
    logits, hidden = net.forward_with_hidden(inputs)
    np.testing.assert_array_equal(logits, net.forward(inputs, training=True))
    np.testing.assert_array_equal(logits, net.layers[-1].forward(hidden))
    assert hidden.shape == (3, 5)


def test_an_architecture_builds_the_same_network_again():
    net = network()
    again = build_network(net.architecture(), rng=RNG)
    again.load(net.parameters())
    inputs = RNG.normal(size=(3, 2, 2, 3))
    assert again.architecture() == net.architecture()
    np.testing.assert_array_equal(again.forward(inputs), net.forward(inputs))


def test_loaded_parameters_are_copies():
    net, other = network(), network()
    other.load(net.parameters())
    other.parameters()["linear1.weight"][:] = 0
    assert net.parameters()["linear1.weight"].any()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays: arrays.pop("linear1.bias"), "linear1.bias"),
        (lambda arrays: arrays.update({"linear3.bias": np.zeros(1)}), "linear3.bias"),
        (
            lambda arrays: arrays.update({"linear1.bias": np.zeros(4)}),
            r"linear1.bias has shape \(4,\), expected \(5,\)",
        ),
    ],
)
def test_parameters_of_another_network_are_refused_and_change_nothing(change, reason):
    net = network()
    arrays = {name: value + 1 for name, value in net.parameters().items()}
    change(arrays)
    before = {name: value.copy() for name, value in net.parameters().items()}
    with pytest.raises(ShapeError, match=reason):
        net.load(arrays)
    for name, value in before.items():
        np.testing.assert_array_equal(net.parameters()[name], value)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"type": "Convolution9"}, "entry 1 has the unknown type 'Convolution9'"),
        ({}, "entry 1 has the unknown type None"),
        ({"type": ["ReLU"]}, "entry 1 has the unknown type"),
        ({"type": "Linear", "in_features": 3}, r"entry 1 \(Linear\)"),
        ({"type": "Linear", "in_features": 3, "out_features": -1}, r"entry 1 \(Linear\).*positive"),
        ({"type": "ReLU", "slope": 1}, r"entry 1 \(ReLU\)"),
    ],
)
def test_an_entry_that_is_no_layer_is_named(entry, reason):
    with pytest.raises(ValueError, match=reason):
        build_network([{"type": "Flatten"}, entry], rng=RNG)


def test_casting_changes_every_parameter_and_the_result():
    net = network()
    net.cast(np.float32)
    assert {value.dtype for value in net.parameters().values()} == {np.dtype(np.float32)}
    assert net.forward(np.zeros((1, 12), np.float32)).dtype == np.float32
