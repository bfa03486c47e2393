"""Explanations are what they say: slopes, shares that add up, and of this network alone."""

import numpy as np
import pytest
from nnlib.explanations import gradient, heatmap, input_gradient, integrated_gradients, occlusion, smoothgrad
from nnlib.layers import Conv2D, GlobalAveragePool, Linear, ReLU, Residual, SiLU
from nnlib.network import Network

SHAPE = (16, 16, 3)


def network(seed=0):
    rng = np.random.default_rng(seed)
    return Network(
        [
            Conv2D(3, 6, kernel=5, stride=2, padding=2, rng=rng),
            SiLU(),
            Residual([Conv2D(6, 6, kernel=3, padding=1, rng=rng), ReLU()]),
            GlobalAveragePool(),
            Linear(6, 1, rng=rng),
        ]
    )


def image(seed=0):
    return np.random.default_rng(seed).normal(size=SHAPE)


def logit(net, picture):
    return float(net.forward(picture[np.newaxis])[0, 0])


def methods(net, picture, rng=None):
    baseline = np.zeros_like(picture)
    return {
        "gradient": gradient(net, picture),
        "smoothgrad": smoothgrad(net, picture, samples=8, rng=rng or np.random.default_rng(0)),
        "integrated_gradients": integrated_gradients(net, picture, baseline),
        "occlusion": occlusion(net, picture, baseline, window=6, stride=3),
    }


def test_the_input_gradient_is_the_slope_of_the_logit_at_every_pixel():
    net, picture, step = network(), image(), 1e-6
    slopes = np.empty(SHAPE)
    for index in np.ndindex(SHAPE):
        change = np.zeros(SHAPE)
        change[index] = step
        slopes[index] = (logit(net, picture + change) - logit(net, picture - change)) / (2 * step)
    np.testing.assert_allclose(input_gradient(net, picture[np.newaxis])[0], slopes, atol=1e-8)


def test_each_image_of_a_batch_gets_its_own_gradient():
    net, pictures = network(), np.stack([image(0), image(1)])
    together = input_gradient(net, pictures)
    np.testing.assert_allclose(together[1], input_gradient(net, pictures[1:])[0], atol=1e-12)


def test_integrated_gradients_add_up_to_the_difference_of_the_logits():
    net, picture, baseline = network(), image(), image(5)
    total = integrated_gradients(net, picture, baseline, steps=400).sum()
    assert total == pytest.approx(logit(net, picture) - logit(net, baseline), abs=1e-3)


def test_smoothgrad_without_noise_is_the_gradient():
    net, picture = network(), image()
    smooth = smoothgrad(net, picture, samples=20, noise=0.0, rng=np.random.default_rng(0))
    np.testing.assert_allclose(smooth, gradient(net, picture), atol=1e-12)


def test_occlusion_with_a_window_as_large_as_the_image_is_the_difference_of_the_logits():
    net, picture, baseline = network(), image(), np.zeros(SHAPE)
    falls = occlusion(net, picture, baseline, window=16, stride=16)
    np.testing.assert_allclose(falls, logit(net, picture) - logit(net, baseline), atol=1e-12)


def test_occlusion_finds_the_only_pixels_that_matter():
    net = Network([GlobalAveragePool(), Linear(3, 1, rng=np.random.default_rng(0))])
    net.layers[-1].parameters["weight"] = np.ones((3, 1))
    picture = np.zeros(SHAPE)
    picture[4:8, 8:12] = 1
    falls = occlusion(net, picture, np.zeros(SHAPE), window=4, stride=4)
    assert (falls[4:8, 8:12] > 0).all()
    falls[4:8, 8:12] = 0
    assert (falls == 0).all()


@pytest.mark.parametrize("method", ["gradient", "smoothgrad", "integrated_gradients", "occlusion"])
def test_a_network_with_other_weights_gets_another_map(method):
    """The sanity check of Adebayo et al. 2018: a map that outlives its weights shows the picture, not the reason."""
    maps = [heatmap(methods(network(seed), image())[method]).ravel() for seed in range(6)]
    correlations = np.abs(np.corrcoef(maps)[np.triu_indices(6, 1)])
    assert (
        correlations.mean() < 0.7
    )  # 1 for a map of the picture alone; occlusion is smooth, and comes to one half by chance


def test_explaining_changes_no_answer():
    net, picture = network(), image()
    before = logit(net, picture)
    methods(net, picture)
    assert logit(net, picture) == before


def test_a_heatmap_is_64_by_64_of_numbers_from_minus_1_to_1():
    net = network()
    picture = np.random.default_rng(0).normal(size=(64, 64, 3)).astype(np.float32)
    for attribution in methods(net, picture).values():
        result = heatmap(attribution)
        assert result.shape == (64, 64)
        assert np.abs(result).max() == pytest.approx(1)


def test_a_heatmap_of_nothing_is_zero():
    np.testing.assert_array_equal(heatmap(np.zeros(SHAPE)), np.zeros(SHAPE[:2]))
