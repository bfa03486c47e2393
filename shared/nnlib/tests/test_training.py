import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlib.data import minibatches
from nnlib.errors import DivergedError, ShapeError
from nnlib.layers import Linear, ReLU
from nnlib.network import Network
from nnlib.optimizers import GradientDescent
from nnlib.training import train


def test_gradient_descent_steps_against_the_gradient_in_place():
    parameters = {"bias": np.array([1.0, 2.0])}
    kept = parameters["bias"]
    GradientDescent(0.5).step(parameters, {"bias": np.array([2.0, -2.0])})
    np.testing.assert_array_equal(kept, [0.0, 3.0])


def test_a_network_learns_what_no_single_layer_can():
    """Exclusive or: four points, not separable by a line."""
    inputs, targets = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
    rng = np.random.default_rng(0)
    network = Network([Linear(2, 8, rng=rng), ReLU(), Linear(8, 1, rng=rng)])
    losses = list(train(network, itertools.repeat((inputs, targets), 2000), GradientDescent(0.5)))
    assert losses[0] > 0.5
    assert losses[-1] < 0.01
    np.testing.assert_array_equal(network.forward(inputs)[:, 0] > 0, targets == 1)


def test_a_loss_is_that_before_its_step_and_nothing_happens_before_it_is_asked_for():
    network = Network([Linear(1, 1, rng=np.random.default_rng(0))])
    before = network.parameters()["linear1.weight"].copy()
    losses = train(network, [(np.ones((1, 1)), np.ones(1))], GradientDescent(1.0))
    np.testing.assert_array_equal(network.parameters()["linear1.weight"], before)
    assert next(losses) == pytest.approx(np.log1p(np.exp(-before[0, 0])))
    assert network.parameters()["linear1.weight"] > before


@given(st.integers(1, 40), st.integers(1, 50), st.integers(1, 3), st.integers(0, 2**32))
def test_every_epoch_visits_every_sample_once(samples, batch_size, epochs, seed):
    inputs, targets = np.arange(samples, dtype=float)[:, None], np.arange(samples, dtype=float)
    batches = list(minibatches(inputs, targets, batch_size=batch_size, epochs=epochs, rng=np.random.default_rng(seed)))
    assert all(len(batch) <= batch_size for _, batch in batches)
    for batch_inputs, batch_targets in batches:
        np.testing.assert_array_equal(batch_inputs[:, 0], batch_targets)
    visited = np.concatenate([batch for _, batch in batches]).reshape(epochs, samples)
    np.testing.assert_array_equal(np.sort(visited, axis=1), np.tile(targets, (epochs, 1)))


def test_epochs_differ_in_order_and_the_seed_decides_it():
    def order(seed):
        rng = np.random.default_rng(seed)
        batches = minibatches(np.zeros((50, 1)), np.arange(50.0), batch_size=50, epochs=2, rng=rng)
        return [batch.tolist() for _, batch in batches]

    first, second = order(1)
    assert first != second
    assert order(1) == [first, second]
    assert order(2) != [first, second]


def test_wrong_lengths_and_sizes_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ShapeError):
        next(minibatches(np.zeros((3, 1)), np.zeros(4), batch_size=1, epochs=1, rng=rng))
    with pytest.raises(ValueError, match="batch_size is 0"):
        next(minibatches(np.zeros((3, 1)), np.zeros(3), batch_size=0, epochs=1, rng=rng))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_loss_that_is_no_number_stops_at_its_step_and_changes_no_weight(number):
    network = Network([Linear(1, 1, rng=np.random.default_rng(0))])
    good, bad = (np.ones((1, 1)), np.ones(1)), (np.full((1, 1), number), np.zeros(1))
    losses = train(network, [good, good, bad, good], GradientDescent(1.0))
    next(losses), next(losses)
    before = network.parameters()["linear1.weight"].copy()
    with pytest.raises(DivergedError, match="step 2: the loss is"):
        next(losses)
    np.testing.assert_array_equal(network.parameters()["linear1.weight"], before)
