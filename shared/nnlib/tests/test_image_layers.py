"""Convolution, pooling, batch normalisation and dropout against their definitions."""

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlib.errors import ShapeError
from nnlib.layers import AveragePool2D, BatchNorm, Conv2D, Dropout, GlobalAveragePool, MaxPool2D, Residual
from nnlib.layers import convolution as convolution_module

RNG = np.random.default_rng(0)


def convolution_by_definition(inputs, layer):
    weight, bias = layer.parameters["weight"], layer.parameters.get("bias", 0)
    border = (layer.padding, layer.padding)
    padded = np.pad(inputs, ((0, 0), border, border, (0, 0)))
    height, width = ((size - layer.kernel) // layer.stride + 1 for size in padded.shape[1:3])
    outputs = np.empty((len(inputs), height, width, weight.shape[-1]))
    for i, j in itertools.product(range(height), range(width)):
        top, left = layer.stride * i, layer.stride * j
        patch = padded[:, top : top + layer.kernel, left : left + layer.kernel]
        outputs[:, i, j] = np.tensordot(patch, weight, 3) + bias
    return outputs


@settings(deadline=None, max_examples=60)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    batch=st.integers(1, 5),
)
def test_convolution_is_its_definition(kernel, stride, padding, size, channels, batch):
    layer = Conv2D(*channels, kernel=kernel, stride=stride, padding=min(padding, kernel - 1), rng=RNG)
    layer.parameters["bias"] = RNG.normal(size=channels[1])
    inputs = RNG.normal(size=(batch, *size, channels[0]))
    expected = convolution_by_definition(inputs, layer)
    np.testing.assert_allclose(layer.forward(inputs), expected, atol=1e-12)
    np.testing.assert_allclose(layer.forward(inputs, training=True), expected, atol=1e-12)


def test_convolution_in_chunks_is_the_same_as_at_once(monkeypatch):
    layer = Conv2D(3, 5, kernel=3, stride=2, padding=1, rng=RNG)
    inputs = RNG.normal(size=(7, 9, 8, 3))
    at_once = layer.forward(inputs, training=True).copy()
    gradient = RNG.normal(size=at_once.shape)
    input_gradient, weight_gradient = layer.backward(gradient).copy(), layer.gradients["weight"]
    monkeypatch.setattr(convolution_module, "CHUNK_BYTES", 2 * 5 * 4 * 27 * 8)
    layer = Conv2D.from_config(layer.config(), rng=RNG, initializer=lambda *_: layer.parameters["weight"])
    np.testing.assert_allclose(layer.forward(inputs, training=True), at_once, rtol=1e-12)
    np.testing.assert_allclose(layer.backward(gradient), input_gradient, rtol=1e-12)
    np.testing.assert_allclose(layer.gradients["weight"], weight_gradient, rtol=1e-12)


def test_convolution_answers_several_threads_at_once():
    layer = Conv2D(3, 8, kernel=3, padding=1, rng=RNG)
    images = RNG.normal(size=(4, 40, 12, 12, 3))
    expected = [[layer.forward(image[np.newaxis]) for image in images_of_thread] for images_of_thread in images]
    wrong = []

    def answer(thread):
        for image, outputs in zip(images[thread], expected[thread], strict=True):
            if not np.array_equal(layer.forward(image[np.newaxis]), outputs):
                wrong.append(thread)

    threads = [threading.Thread(target=answer, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_convolution_of_no_image_is_no_image():
    assert Conv2D(3, 2, kernel=3, rng=RNG).forward(np.zeros((0, 5, 5, 3))).shape == (0, 3, 3, 2)


def test_convolution_says_what_does_not_fit():
    layer = Conv2D(3, 2, kernel=5, rng=RNG)
    with pytest.raises(ShapeError, match=r"\(1, 8, 8, 4\), expected \(batch, height, width, 3\)"):
        layer.forward(np.zeros((1, 8, 8, 4)))
    with pytest.raises(ShapeError, match="4x8 with padding 0, smaller than the kernel, 5"):
        layer.forward(np.zeros((1, 4, 8, 3)))
    with pytest.raises(ValueError, match="padding is 5"):
        Conv2D(3, 2, kernel=5, padding=5, rng=RNG)
    with pytest.raises(ValueError, match="stride is 0, expected a positive integer"):
        Conv2D(3, 2, kernel=5, stride=0, rng=RNG)


def test_batch_norm_in_training_leaves_mean_0_and_variance_1():
    layer = BatchNorm(4)
    outputs = layer.forward(RNG.normal(5, 3, size=(8, 6, 5, 4)), training=True)
    np.testing.assert_allclose(outputs.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(outputs.var(axis=(0, 1, 2)), 1, atol=1e-4)


def test_batch_norm_serves_with_averages_that_approach_the_data():
    layer = BatchNorm(2)
    for _ in range(200):
        layer.forward(RNG.normal([5, -1], [3, 0.5], size=(16, 4, 4, 2)), training=True)
    np.testing.assert_allclose(layer.state["mean"], [5, -1], rtol=0.05)
    np.testing.assert_allclose(layer.state["variance"], [9, 0.25], rtol=0.1)
    serving = layer.forward(np.array([[[[5.0, -1.0]]]]))
    np.testing.assert_allclose(serving, 0, atol=0.1)


def test_batch_norm_keeps_its_precision_far_from_zero_in_float32():
    layer = BatchNorm(1)
    layer.parameters = {key: value.astype(np.float32) for key, value in layer.parameters.items()}
    outputs = layer.forward(RNG.normal(1000, 1, size=(64, 16, 16, 1)).astype(np.float32), training=True)
    assert outputs.std() == pytest.approx(1, rel=1e-3)


def test_batch_norm_refuses_a_single_number():
    with pytest.raises(ShapeError, match="no variance"):
        BatchNorm(3).forward(np.zeros((1, 3)), training=True)


def test_pools_are_their_definitions():
    inputs = RNG.normal(size=(2, 7, 6, 3))
    squares = inputs[:, :6].reshape(2, 3, 2, 3, 2, 3)
    np.testing.assert_array_equal(MaxPool2D(2).forward(inputs), squares.max(axis=(2, 4)))
    np.testing.assert_allclose(AveragePool2D(2).forward(inputs), squares.mean(axis=(2, 4)))
    np.testing.assert_allclose(GlobalAveragePool().forward(inputs), inputs.mean(axis=(1, 2)))


def test_of_equal_numbers_max_pool_gives_the_gradient_to_the_first_alone():
    layer = MaxPool2D(2)
    layer.forward(np.ones((1, 2, 2, 1)), training=True)
    np.testing.assert_array_equal(layer.backward(np.ones((1, 1, 1, 1)))[0, :, :, 0], [[1, 0], [0, 0]])


def test_pools_refuse_images_smaller_than_the_square():
    with pytest.raises(ShapeError, match="2x5, smaller than the pool of 3"):
        MaxPool2D(3).forward(np.zeros((1, 2, 5, 1)))


def test_dropout_keeps_the_expected_value_and_drops_its_share():
    outputs = Dropout(0.3, rng=np.random.default_rng(1)).forward(np.ones((200, 200)), training=True)
    assert np.mean(outputs == 0) == pytest.approx(0.3, abs=0.01)
    assert outputs.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_dropout_refuses_a_rate_that_is_none(rate):
    with pytest.raises(ValueError, match="dropout_rate is"):
        Dropout(rate, rng=RNG)


def test_residual_refuses_a_body_that_changes_the_shape():
    with pytest.raises(ShapeError):
        Residual([Conv2D(3, 4, kernel=1, rng=RNG)]).forward(np.zeros((1, 4, 4, 3)))
