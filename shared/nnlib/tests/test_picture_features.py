"""Each feature on pictures whose value can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from nnlib.errors import ShapeError
from nnlib.picture_features import PICTURE_FEATURES, picture_features
from PIL import Image, ImageFilter


def plain(red, green, blue):
    return np.full((64, 64, 3), (red, green, blue), np.uint8)


def test_a_plain_picture_has_no_contrast_and_no_edges():
    features = picture_features(plain(100, 100, 100))
    assert list(features) == list(PICTURE_FEATURES)
    assert features["brightness"] == pytest.approx(100 / 255)
    for name in ("contrast", "saturation", "colour_balance", "sharpness"):
        assert features[name] == pytest.approx(0, abs=1e-6)


def test_pure_colours():
    assert picture_features(plain(255, 0, 0))["colour_balance"] == pytest.approx(1)
    assert picture_features(plain(0, 0, 255))["colour_balance"] == pytest.approx(-1)
    assert picture_features(plain(0, 200, 0))["saturation"] == pytest.approx(1)
    assert picture_features(plain(200, 100, 150))["saturation"] == pytest.approx(0.5)
    assert picture_features(plain(0, 255, 0))["brightness"] == pytest.approx(0.587)


def test_black_has_no_saturation():
    assert set(picture_features(plain(0, 0, 0)).values()) == {0.0}


def test_a_chessboard_is_as_sharp_as_can_be():
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    features = picture_features(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))
    assert features["sharpness"] == pytest.approx(4)
    assert features["contrast"] == pytest.approx(0.5)
    assert features["brightness"] == pytest.approx(0.5)


def test_blur_lowers_sharpness():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    blurred = noise.filter(ImageFilter.GaussianBlur(1))
    assert picture_features(np.array(blurred))["sharpness"] < picture_features(np.array(noise))["sharpness"] / 5


@given(arrays(np.uint8, (64, 64, 3)))
def test_every_feature_of_any_picture_is_a_float_in_its_range(pixels):
    features = picture_features(pixels)
    assert all(type(value) is float for value in features.values())
    epsilon = 1e-5
    assert -epsilon <= features["brightness"] <= 1 + epsilon
    assert 0 <= features["contrast"] <= 0.5 + epsilon
    assert 0 <= features["saturation"] <= 1
    assert -1 <= features["colour_balance"] <= 1
    assert 0 <= features["sharpness"] <= 4 + epsilon


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError):
        picture_features(np.zeros((32, 64, 3), np.uint8))
