"""Every layer against PyTorch, forward and backward, in float64: an oracle written by other people."""

import numpy as np
import pytest
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

torch = pytest.importorskip("torch", reason="PyTorch, the oracle of these tests, is not installed")

RNG = np.random.default_rng(0)
IMAGES = (3, 9, 8, 4)


def linear(layer, inputs, parameters):
    return inputs @ parameters["weight"] + parameters["bias"]


def conv2d(layer, inputs, parameters):
    outputs = torch.nn.functional.conv2d(
        inputs.permute(0, 3, 1, 2),
        parameters["weight"].permute(3, 2, 0, 1),
        parameters.get("bias"),
        stride=layer.stride,
        padding=layer.padding,
    )
    return outputs.permute(0, 2, 3, 1)


def batch_norm(layer, inputs, parameters):
    outputs = torch.nn.functional.batch_norm(
        inputs.permute(0, 3, 1, 2), None, None, parameters["scale"], parameters["shift"], training=True
    )
    return outputs.permute(0, 2, 3, 1)


def pool(function):
    return lambda layer, inputs, _: function(inputs.permute(0, 3, 1, 2), layer.size).permute(0, 2, 3, 1)


def residual(layer, inputs, _):
    return inputs + torch.nn.functional.silu(inputs)


CASES = [
    (Linear(5, 4, rng=RNG), (3, 5), linear),
    (Flatten(), IMAGES, lambda layer, inputs, _: inputs.flatten(1)),
    (ReLU(), IMAGES, lambda layer, inputs, _: torch.relu(inputs)),
    (SiLU(), IMAGES, lambda layer, inputs, _: torch.nn.functional.silu(inputs)),
    (Dropout(0.0, rng=RNG), IMAGES, lambda layer, inputs, _: torch.nn.functional.dropout(inputs, 0.0)),
    (Conv2D(4, 6, kernel=3, padding=1, rng=RNG), IMAGES, conv2d),
    (Conv2D(4, 6, kernel=5, stride=2, padding=2, bias=False, rng=RNG), IMAGES, conv2d),
    (Conv2D(4, 2, kernel=2, stride=3, rng=RNG), IMAGES, conv2d),
    (BatchNorm(4), IMAGES, batch_norm),
    (MaxPool2D(2), IMAGES, pool(torch.nn.functional.max_pool2d)),
    (AveragePool2D(2), IMAGES, pool(torch.nn.functional.avg_pool2d)),
    (GlobalAveragePool(), IMAGES, lambda layer, inputs, _: inputs.mean(dim=(1, 2))),
    (Residual([SiLU()]), IMAGES, residual),
]


@pytest.mark.parametrize(("layer", "shape", "oracle"), CASES, ids=lambda value: getattr(type(value), "__name__", ""))
def test_layer_equals_pytorch_forward_and_backward(layer, shape, oracle):
    for key, value in layer.parameters.items():
        layer.parameters[key] = RNG.normal(size=value.shape)
    inputs = RNG.normal(size=shape)
    torch_inputs = torch.tensor(inputs, requires_grad=True)
    parameters = {key: torch.tensor(value, requires_grad=True) for key, value in layer.parameters.items()}
    expected = oracle(layer, torch_inputs, parameters)
    outputs = layer.forward(inputs, training=True)
    np.testing.assert_allclose(outputs, expected.detach().numpy(), atol=1e-12)
    output_gradient = RNG.normal(size=outputs.shape)
    expected.backward(torch.tensor(output_gradient))
    np.testing.assert_allclose(layer.backward(output_gradient), torch_inputs.grad.numpy(), atol=1e-12)
    for key, parameter in parameters.items():
        np.testing.assert_allclose(layer.gradients[key], parameter.grad.numpy(), atol=1e-11, err_msg=key)


def test_every_layer_has_its_oracle():
    assert {type(layer).__name__ for layer, *_ in CASES} == set(LAYERS)


def test_batch_norm_keeps_the_averages_that_pytorch_keeps():
    ours, theirs = BatchNorm(4), torch.nn.BatchNorm2d(4).double()
    for _ in range(3):
        inputs = RNG.normal(2, 3, size=IMAGES)
        ours.forward(inputs, training=True)
        theirs(torch.tensor(inputs).permute(0, 3, 1, 2))
    np.testing.assert_allclose(ours.state["mean"], theirs.running_mean.numpy(), atol=1e-12)
    np.testing.assert_allclose(ours.state["variance"], theirs.running_var.numpy(), atol=1e-12)
    theirs.eval()
    expected = theirs(torch.tensor(inputs).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach().numpy()
    np.testing.assert_allclose(ours.forward(inputs), expected, atol=1e-12)


def test_loss_equals_pytorch_with_soft_targets():
    logits, targets = RNG.normal(0, 20, size=(7, 1)), RNG.random(7)
    torch_logits = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(torch_logits[:, 0], torch.tensor(targets))
    expected.backward()
    loss, gradient = binary_cross_entropy(logits, targets)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, torch_logits.grad.numpy(), atol=1e-12)
