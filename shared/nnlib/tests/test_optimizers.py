"""Optimizers, schedules and averaged weights against their formulas, worked out by hand or by PyTorch."""

import numpy as np
import pytest
from nnlib.optimizers import AdamW, GradientDescent, clip_gradients
from nnlib.schedules import WarmUpCosine, WarmUpHoldDecay
from nnlib.weight_average import WeightAverage

RNG = np.random.default_rng(0)


def descend(optimizer, steps=300):
    """Towards the lowest point of a narrow valley, (1, -2)."""
    parameters = {"point": np.zeros((1, 2))}
    for _ in range(steps):
        gradient = (parameters["point"] - [1, -2]) * [1, 20]
        optimizer.step(parameters, {"point": gradient})
    return parameters["point"]


@pytest.mark.parametrize(
    "optimizer",
    [
        GradientDescent(0.05),
        GradientDescent(0.01, momentum=0.9),
        GradientDescent(0.01, momentum=0.9, nesterov=True),
        AdamW(0.05),
    ],
)
def test_every_optimizer_finds_the_lowest_point(optimizer):
    np.testing.assert_allclose(descend(optimizer), [[1, -2]], atol=0.01)


def test_the_first_step_of_adam_has_the_size_of_the_learning_rate_whatever_the_gradient():
    parameters = {"point": np.zeros((1, 2))}
    AdamW(0.1).step(parameters, {"point": np.array([[1e-4, -300.0]])})
    np.testing.assert_allclose(parameters["point"], [[-0.1, 0.1]], rtol=1e-3)


@pytest.mark.parametrize("optimizer", [AdamW(0.1, weight_decay=0.5), GradientDescent(0.1, weight_decay=0.5)])
def test_weight_decay_shrinks_weights_and_leaves_vectors_alone(optimizer):
    parameters = {"weight": np.ones((2, 2)), "bias": np.ones(2)}
    optimizer.step(parameters, {name: np.zeros_like(value) for name, value in parameters.items()})
    np.testing.assert_allclose(parameters["weight"], 0.95)
    np.testing.assert_array_equal(parameters["bias"], 1)


@pytest.mark.parametrize("optimizer", [AdamW(0.1, weight_decay=0.1), GradientDescent(0.1, momentum=0.9)])
def test_float32_parameters_and_memory_stay_float32(optimizer):
    parameters = {"weight": np.ones((2, 2), np.float32)}
    optimizer.step(parameters, {"weight": np.ones((2, 2), np.float32)})
    assert parameters["weight"].dtype == np.float32
    assert {value.dtype for value in optimizer.memory.values() if value.ndim} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (GradientDescent(0.1), ("SGD", {"lr": 0.1})),
        (
            GradientDescent(0.1, momentum=0.9, weight_decay=0.1),
            ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
        ),
        (GradientDescent(0.1, momentum=0.9, nesterov=True), ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True})),
        (AdamW(0.1), ("Adam", {"lr": 0.1})),
        (AdamW(0.1, weight_decay=0.1), ("AdamW", {"lr": 0.1, "weight_decay": 0.1})),
    ],
)
def test_steps_equal_those_of_pytorch(ours, theirs):
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle of this test, is not installed")
    start = RNG.normal(size=(3, 4))
    parameters = {"weight": start.copy()}
    tensor = torch.tensor(start, requires_grad=True)
    name, arguments = theirs
    optimizer = getattr(torch.optim, name)([tensor], **arguments)
    for _ in range(5):
        gradient = RNG.normal(size=(3, 4))
        ours.step(parameters, {"weight": gradient})
        tensor.grad = torch.tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(parameters["weight"], tensor.detach().numpy(), rtol=1e-6)


def test_clipping_shortens_all_gradients_together_and_keeps_their_direction():
    gradients = {"weight": np.array([[3.0]]), "bias": np.array([4.0])}
    assert clip_gradients(gradients, 1.0) == 5
    np.testing.assert_allclose(gradients["weight"], 0.6)
    np.testing.assert_allclose(gradients["bias"], 0.8)


def test_clipping_leaves_short_gradients_alone():
    gradients = {"weight": np.array([[0.3]])}
    clip_gradients(gradients, 1.0)
    assert gradients["weight"] == 0.3


def test_the_cosine_rises_in_a_line_and_ends_at_nothing():
    schedule = WarmUpCosine(steps=110, warm_up_steps=10)
    assert [schedule(step) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1, 1])
    assert schedule(60) == pytest.approx(0.5)
    assert schedule(109) < 0.001


def test_holding_is_level_between_a_line_up_and_a_line_down():
    schedule = WarmUpHoldDecay(steps=100, warm_up_steps=10, decay_steps=20)
    assert [schedule(step) for step in (0, 9, 50, 80, 90, 99)] == pytest.approx([0.1, 1, 1, 1, 0.5, 0.05])


def test_a_schedule_without_warm_up_begins_at_its_height():
    assert WarmUpCosine(steps=10)(0) == WarmUpHoldDecay(steps=10)(0) == 1


def test_the_average_of_what_does_not_change_is_that():
    average = WeightAverage({"weight": np.zeros(2)}, decay=0.9)
    for step in range(200):
        average.update({"weight": np.ones(2)}, step=step)
    np.testing.assert_allclose(average.arrays["weight"], 1)


def test_the_average_is_a_copy_that_follows_slowly():
    weight = np.zeros(2)
    average = WeightAverage({"weight": weight}, decay=0.99)
    weight += 1
    np.testing.assert_array_equal(average.arrays["weight"], 0)
    average.update({"weight": weight}, step=10_000)
    np.testing.assert_allclose(average.arrays["weight"], 0.01)
