"""A network made ready for serving answers what the network does."""

import threading
import tracemalloc

import numpy as np
import pytest
from nnlib import serving
from nnlib.errors import ShapeError
from nnlib.layers import (
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
from nnlib.layers.workspace import Workspace
from nnlib.network import Network
from nnlib.serving import ServingNetwork

RNG = np.random.default_rng(0)


def conv(in_channels, out_channels, kernel=3, stride=1, padding=1, bias=True):
    layer = Conv2D(in_channels, out_channels, kernel=kernel, stride=stride, padding=padding, bias=bias, rng=RNG)
    if bias:
        layer.parameters["bias"] = RNG.normal(size=out_channels)
    return layer


def head(channels):
    return [GlobalAveragePool(), Linear(channels, 1, rng=RNG)]


NETWORKS = {
    "a network like the shipped one": lambda: [
        conv(3, 6, kernel=5, stride=2, padding=2),
        ReLU(),
        conv(6, 8, stride=2),
        ReLU(),
        Residual([conv(8, 8), ReLU(), conv(8, 8)]),
        ReLU(),
        *head(8),
    ],
    "dense": lambda: [Flatten(), Linear(13 * 12 * 3, 5, rng=RNG), ReLU(), Linear(5, 1, rng=RNG)],
    "one layer": lambda: [GlobalAveragePool()],
    "a convolution before the last layer": lambda: [conv(3, 4, bias=False), conv(4, 2)],
    "without padding, with more than its share": lambda: [conv(3, 4, padding=0), conv(4, 5, padding=2), *head(5)],
    "every other layer": lambda: [
        conv(3, 4),
        BatchNorm(4),
        SiLU(),
        MaxPool2D(2),
        conv(4, 4, kernel=1, padding=0),
        AveragePool2D(2),
        Dropout(0.5, rng=RNG),
        ReLU(),
        *head(4),
    ],
    "residual blocks that end in something else": lambda: [
        conv(3, 4),
        Residual([conv(4, 4), ReLU()]),
        ReLU(),
        Residual([conv(4, 4), BatchNorm(4)]),
        Residual([]),
        Residual([Residual([conv(4, 4)]), ReLU(), conv(4, 4)]),
        ReLU(),
        Residual([Dropout(0.5, rng=RNG)]),
        *head(4),
    ],
}


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("shape", [(1, 13, 12, 3), (2, 13, 12, 3), (5, 13, 12, 3), (0, 13, 12, 3)], ids=str)
def test_it_answers_what_the_network_does(layers, shape):
    network, inputs = Network(layers()), RNG.normal(size=shape)
    logits, hidden = ServingNetwork(network).forward_with_hidden(inputs)
    expected_logits, expected_hidden = network.forward_with_hidden(inputs)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-12)
    np.testing.assert_allclose(hidden, expected_hidden, atol=1e-12)


@pytest.mark.parametrize("height", range(3, 9))
@pytest.mark.parametrize("width", [4, 7])
def test_convolutions_of_3x3_are_the_same_for_every_size_of_image(height, width):
    network, inputs = Network([conv(2, 3), ReLU(), conv(3, 4), *head(4)]), RNG.normal(size=(3, height, width, 2))
    logits, _ = ServingNetwork(network).forward_with_hidden(inputs)
    np.testing.assert_allclose(logits, network.forward(inputs), atol=1e-12)


def test_in_float32_it_is_as_precise_as_the_network():
    network = Network([conv(32, 64), ReLU(), Residual([conv(64, 64), ReLU(), conv(64, 64)]), *head(64)])
    inputs = RNG.normal(size=(3, 16, 16, 32))
    exact = network.forward(inputs)
    network.cast(np.float32)
    logits, hidden = ServingNetwork(network).forward_with_hidden(inputs.astype(np.float32))
    assert logits.dtype == hidden.dtype == np.float32
    np.testing.assert_allclose(logits, exact, atol=1e-6 * np.abs(hidden).max() * 8)


def test_a_change_of_batch_and_size_changes_no_answer():
    network = Network(NETWORKS["a network like the shipped one"]())
    served = ServingNetwork(network)
    for batch, size in [(1, 16), (5, 16), (1, 9), (1, 16), (2, 24)]:
        inputs = RNG.normal(size=(batch, size, size, 3))
        np.testing.assert_allclose(served.forward_with_hidden(inputs)[0], network.forward(inputs), atol=1e-12)


@pytest.mark.parametrize("batch", [2, 3, 8, 33])
def test_of_a_dense_network_an_image_gets_the_same_to_the_last_bit_in_any_company(batch):
    network = Network(
        [Flatten(), Linear(64 * 64 * 3, 20, rng=RNG), ReLU(), Linear(20, 7, rng=RNG), Linear(7, 1, rng=RNG)]
    )
    network.cast(np.float32)
    served, inputs = ServingNetwork(network), RNG.random((batch, 64, 64, 3), dtype=np.float32)
    together = served.forward_with_hidden(inputs)
    for number in range(batch):
        alone = served.forward_with_hidden(inputs[number : number + 1])
        for answer, expected in zip(together, alone, strict=True):
            np.testing.assert_array_equal(answer[number], expected[0])


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_an_answer_is_the_callers_own(layers):
    served, inputs = ServingNetwork(Network(layers())), RNG.normal(size=(1, 13, 12, 3))
    given = inputs.copy()
    answers = served.forward_with_hidden(inputs)
    before = [answer.copy() for answer in answers]
    served.forward_with_hidden(RNG.normal(size=(1, 13, 12, 3)))
    np.testing.assert_array_equal(inputs, given)
    for answer, expected in zip(answers, before, strict=True):
        np.testing.assert_array_equal(answer, expected)


def test_many_threads_at_once_are_answered_as_one():
    served = ServingNetwork(Network(NETWORKS["a network like the shipped one"]()))
    images = RNG.normal(size=(4, 60, 16, 16, 3))
    expected = [[served.forward_with_hidden(image[np.newaxis])[0] for image in of_thread] for of_thread in images]
    together, wrong = threading.Barrier(len(images)), []

    def answer(thread):
        together.wait(10)
        for image, logits in zip(images[thread], expected[thread], strict=True):
            if not np.array_equal(served.forward_with_hidden(image[np.newaxis])[0], logits):
                wrong.append(thread)

    threads = [threading.Thread(target=answer, args=(thread,)) for thread in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_once_warm_a_convolution_allocates_nothing_as_large_as_its_images():
    step = serving._Convolution(conv(8, 8), Workspace())
    inputs = RNG.normal(size=(1, 128, 128, 8))
    step(inputs)
    tracemalloc.start()
    step(inputs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < inputs.nbytes / 10


def test_what_does_not_fit_is_refused_as_by_the_network():
    served = ServingNetwork(Network([conv(3, 4, kernel=5, padding=0), *head(4)]))
    with pytest.raises(ShapeError, match=r"\(1, 8, 8, 4\), expected \(batch, height, width, 3\)"):
        served.forward_with_hidden(np.zeros((1, 8, 8, 4)))
    with pytest.raises(ShapeError, match="4x8 with padding 0, smaller than the kernel, 5"):
        served.forward_with_hidden(np.zeros((1, 4, 8, 3)))
    with pytest.raises(ShapeError):
        ServingNetwork(Network([Residual([conv(3, 4)]), *head(4)])).forward_with_hidden(np.zeros((1, 4, 4, 3)))
