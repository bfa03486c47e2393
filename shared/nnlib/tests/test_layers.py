"""What every layer promises, beside the correctness of its gradient."""

import numpy as np
import pytest
from nnlib.errors import ShapeError
from nnlib.initializers import he_normal, zeros
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
    name_layers,
)
from nnlib.network import Network, build_network

RNG = np.random.default_rng(0)


IMAGES = (3, 5, 6, 2)


def layers():
    return [
        (Flatten(), (3, 2, 5)),
        (Linear(5, 4, rng=RNG), (3, 5)),
        (ReLU(), (3, 5)),
        (SiLU(), (3, 5)),
        (Dropout(0.0, rng=RNG), (3, 5)),
        (Conv2D(2, 4, kernel=3, padding=1, rng=RNG), IMAGES),
        (Conv2D(2, 4, kernel=3, stride=2, bias=False, rng=RNG), IMAGES),
        (MaxPool2D(2), IMAGES),
        (AveragePool2D(2), IMAGES),
        (GlobalAveragePool(), IMAGES),
    ]


def layers_that_train_differently():
    return [
        (BatchNorm(2), IMAGES),
        (Dropout(0.5, rng=RNG), (3, 5)),
        (Residual([Conv2D(2, 2, kernel=3, padding=1, rng=RNG), BatchNorm(2), ReLU()]), IMAGES),
    ]


def all_layers():
    return layers() + layers_that_train_differently()


@pytest.mark.parametrize(("layer", "shape"), all_layers(), ids=lambda value: type(value).__name__)
def test_forward_when_serving_leaves_the_layer_as_it_was(layer, shape):
    before = set(vars(layer))
    state = {key: value.copy() for key, value in layer.state.items()}
    layer.forward(RNG.normal(size=shape))
    assert set(vars(layer)) == before
    for key, value in state.items():
        np.testing.assert_array_equal(layer.state[key], value)


@pytest.mark.parametrize(("layer", "shape"), all_layers(), ids=lambda value: type(value).__name__)
def test_what_serving_answers_is_not_overwritten_by_the_next_answer(layer, shape):
    first = layer.forward(RNG.normal(size=shape))
    copy = first.copy()
    layer.forward(RNG.normal(size=shape))
    np.testing.assert_array_equal(first, copy)


@pytest.mark.parametrize(("layer", "shape"), all_layers(), ids=lambda value: type(value).__name__)
def test_float32_stays_float32_both_ways(layer, shape):
    for inner in name_layers([layer]).values():
        inner.parameters = {key: value.astype(np.float32) for key, value in inner.parameters.items()}
        inner.state = {key: value.astype(np.float32) for key, value in inner.state.items()}
    inputs = RNG.normal(size=shape).astype(np.float32)
    outputs = layer.forward(inputs, training=True)
    assert layer.forward(inputs).dtype == outputs.dtype == np.float32
    assert layer.backward(np.ones_like(outputs)).dtype == np.float32
    for inner in name_layers([layer]).values():
        assert {array.dtype for array in (inner.gradients | inner.state).values()} <= {np.dtype(np.float32)}


@pytest.mark.parametrize(("layer", "shape"), layers(), ids=lambda value: type(value).__name__)
def test_forward_gives_the_same_in_training_and_serving(layer, shape):
    inputs = RNG.normal(size=shape)
    np.testing.assert_array_equal(layer.forward(inputs), layer.forward(inputs, training=True))


@pytest.mark.parametrize(("layer", "shape"), all_layers(), ids=lambda value: type(value).__name__)
def test_gradients_have_the_keys_and_shapes_of_the_parameters(layer, shape):
    outputs = layer.forward(RNG.normal(size=shape), training=True)
    assert layer.backward(np.ones_like(outputs)).shape == shape
    assert {key: value.shape for key, value in layer.gradients.items()} == {
        key: value.shape for key, value in layer.parameters.items()
    }


@pytest.mark.parametrize(("layer", "shape"), all_layers(), ids=lambda value: type(value).__name__)
def test_a_layer_can_be_built_again_from_its_config(layer, shape):
    (entry,) = Network([layer]).architecture()
    (again,) = build_network([entry], rng=RNG, initializer=zeros).layers
    assert type(again) is type(layer)
    assert Network([again]).architecture() == [entry]
    assert {key: value.shape for key, value in again.parameters.items()} == {
        key: value.shape for key, value in layer.parameters.items()
    }


def test_every_layer_is_tested_here():
    assert {type(layer).__name__ for layer, _ in all_layers()} == set(LAYERS)


def test_a_layer_inside_another_carries_both_names():
    inner = Conv2D(2, 2, kernel=3, padding=1, rng=RNG)
    named = name_layers([ReLU(), Residual([inner, ReLU()]), ReLU()])
    assert list(named) == ["relu1", "residual1.conv2d1", "residual1.relu1", "relu2"]
    assert named["residual1.conv2d1"] is inner


def test_linear_is_an_affine_map():
    layer = Linear(2, 1, rng=RNG)
    layer.parameters = {"weight": np.array([[2.0], [3.0]]), "bias": np.array([0.5])}
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, 1.0], [0.0, -1.0]])), [[5.5], [-2.5]])


def test_linear_names_both_shapes_when_they_do_not_fit():
    with pytest.raises(ShapeError, match=r"\(3, 4\), expected \(batch, 5\)"):
        Linear(5, 4, rng=RNG).forward(np.zeros((3, 4)))


@pytest.mark.parametrize("features", [0, -1, 2.0, True, "5"])
def test_linear_refuses_a_number_of_features_that_is_none(features):
    with pytest.raises(ValueError, match="expected a positive integer"):
        Linear(features, 4, rng=RNG)


def test_he_weights_keep_the_scale_of_activations_through_relu():
    inputs = RNG.normal(size=(2000, 400))
    layer = Linear(400, 300, rng=RNG)
    outputs = ReLU().forward(layer.forward(inputs))
    assert np.mean(outputs**2) == pytest.approx(1, abs=0.05)  # second moment 1 in, 1 out
    assert he_normal(RNG, (400, 300), 400).std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)


def test_the_same_seed_gives_the_same_weights():
    first, second = (Linear(7, 3, rng=np.random.default_rng(4)).parameters["weight"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
