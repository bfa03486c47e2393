"""What every layer promises, beside the correctness of its gradient."""

import numpy as np
import pytest
from nnlib.errors import ShapeError
from nnlib.initializers import he_normal, zeros
from nnlib.layers import LAYERS, Flatten, Linear, ReLU

RNG = np.random.default_rng(0)


def layers():
    return [(Flatten(), (3, 2, 5)), (Linear(5, 4, rng=RNG), (3, 5)), (ReLU(), (3, 5))]


@pytest.mark.parametrize(("layer", "shape"), layers(), ids=lambda value: type(value).__name__)
def test_forward_when_serving_leaves_the_layer_as_it_was(layer, shape):
    before = set(vars(layer))
    layer.forward(RNG.normal(size=shape))
    assert set(vars(layer)) == before


@pytest.mark.parametrize(("layer", "shape"), layers(), ids=lambda value: type(value).__name__)
def test_forward_gives_the_same_in_training_and_serving(layer, shape):
    inputs = RNG.normal(size=shape)
    np.testing.assert_array_equal(layer.forward(inputs), layer.forward(inputs, training=True))


@pytest.mark.parametrize(("layer", "shape"), layers(), ids=lambda value: type(value).__name__)
def test_gradients_have_the_keys_and_shapes_of_the_parameters(layer, shape):
    outputs = layer.forward(RNG.normal(size=shape), training=True)
    assert layer.backward(np.ones_like(outputs)).shape == shape
    assert {key: value.shape for key, value in layer.gradients.items()} == {
        key: value.shape for key, value in layer.parameters.items()
    }


@pytest.mark.parametrize(("layer", "shape"), layers(), ids=lambda value: type(value).__name__)
def test_a_layer_can_be_built_again_from_its_config(layer, shape):
    again = LAYERS[type(layer).__name__].from_config(layer.config(), rng=RNG, initializer=zeros)
    assert again.config() == layer.config()
    assert {key: value.shape for key, value in again.parameters.items()} == {
        key: value.shape for key, value in layer.parameters.items()
    }


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
