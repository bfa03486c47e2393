"""Augmentation, against pictures whose change can be told beforehand."""

from dataclasses import fields, replace

import numpy as np
import pytest
from nnlib.augmentation import Augmentation, augment, cut_out, mix_up, recolour, resample, rotate

OFF = Augmentation(
    **{field.name: 0.0 for field in fields(Augmentation) if field.name not in ("minimum_area", "maximum_aspect_ratio")},
    minimum_area=1.0,
    maximum_aspect_ratio=1.0,
)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
SMOOTH = np.clip(np.linspace(40, 200, 64)[None, :, None, None] + np.zeros((4, 64, 64, 3)), 0, 255).astype(np.uint8)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_switched_off_it_changes_nothing(rng):
    np.testing.assert_allclose(augment(PIXELS, OFF, size=64, rng=rng), PIXELS / 255, atol=1e-5)


def test_the_seed_decides_everything():
    settings = Augmentation(mixup=0.2)
    first, again, other = (augment(PIXELS, settings, size=48, rng=np.random.default_rng(s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_comes_out_is_float32_in_0_to_1_of_the_size_asked_for(rng):
    images = augment(PIXELS, Augmentation(), size=40, rng=rng)
    assert images.shape == (6, 40, 40, 3)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1


def test_the_pictures_given_are_left_alone(rng):
    before = PIXELS.copy()
    augment(PIXELS, Augmentation(rotation_probability=1.0), size=64, rng=rng)
    np.testing.assert_array_equal(PIXELS, before)


def test_a_flip_is_a_mirror_image(rng):
    flipped = augment(PIXELS, replace(OFF, flip_probability=1.0), size=64, rng=rng)
    np.testing.assert_allclose(flipped, PIXELS[:, :, ::-1] / 255, atol=1e-5)


def test_a_crop_of_a_quarter_of_the_area_shows_half_of_each_axis(rng):
    """Of a ramp from top to bottom, a window of half the height shows half of the range."""
    images = resample(SMOOTH, replace(OFF, minimum_area=0.2499), size=64, rng=rng)
    seen = (images[:, -1, 0, 0] - images[:, 0, 0, 0]) / (images.max() - images.min())
    whole = (float(SMOOTH.max()) - float(SMOOTH.min())) / 255
    span = images[:, -1, 0, 0] - images[:, 0, 0, 0]
    assert (span >= 0.48 * whole).all()
    assert (span <= 1.001 * whole).all()
    assert np.ptp(seen) > 0.05


def test_shrinking_averages_instead_of_skipping(rng):
    checkerboard = np.zeros((1, 64, 64, 3), np.uint8)
    checkerboard[:, ::2, ::2] = checkerboard[:, 1::2, 1::2] = 255
    small = resample(checkerboard, OFF, size=16, rng=rng)
    np.testing.assert_allclose(small, 0.5, atol=0.02)


def test_blur_lessens_and_sharpening_raises_the_differences_between_neighbours(rng):
    def roughness(settings):
        return np.abs(np.diff(resample(PIXELS, settings, size=64, rng=rng), axis=1)).mean()

    plain = roughness(OFF)
    assert roughness(replace(OFF, blur_probability=1.0, maximum_blur=1.0)) < 0.8 * plain
    assert roughness(replace(OFF, sharpen_probability=1.0, maximum_sharpening=1.5)) > 1.05 * plain


def test_a_right_angle_turn_moves_every_pixel_to_its_place():
    class Quarter:
        def random(self, size):
            return np.zeros(size)

        def uniform(self, low, high, size):
            return np.full(size, high)

    settings = replace(OFF, rotation_probability=1.0, maximum_rotation_degrees=90)
    turned = rotate(PIXELS, settings, rng=Quarter())
    candidates = [np.rot90(PIXELS, k, axes=(1, 2)) for k in (1, 3)]
    closest = min(np.abs(turned.astype(int) - candidate)[:, 1:-1, 1:-1].mean() for candidate in candidates)
    assert closest < 2


def test_a_constant_picture_stays_constant_when_turned(rng):
    constant = np.full((5, 32, 32, 3), (10, 120, 250), np.uint8)
    turned = rotate(constant, replace(OFF, rotation_probability=1.0, maximum_rotation_degrees=40), rng=rng)
    assert np.abs(turned.astype(int) - constant).max() <= 1


def test_without_saturation_all_channels_are_the_luma(rng):
    images = recolour((PIXELS / 255).astype(np.float32), replace(OFF, grey_probability=1.0), rng=rng)
    np.testing.assert_allclose(images, (PIXELS / 255 @ [0.299, 0.587, 0.114])[..., None].repeat(3, -1), atol=1e-5)


def test_contrast_keeps_the_mean_brightness_and_brightness_does_not(rng):
    grey = np.full((8, 16, 16, 3), 0.4, np.float32) + 0.1 * (np.arange(16) % 2)[:, None].astype(np.float32)
    contrast = recolour(grey.copy(), replace(OFF, contrast=0.3), rng=rng)
    np.testing.assert_allclose(contrast.mean(axis=(1, 2, 3)), 0.45, atol=1e-5)
    assert np.ptp(contrast.std(axis=(1, 2, 3))) > 0.005
    assert np.ptp(recolour(grey.copy(), replace(OFF, brightness=0.3), rng=rng).mean(axis=(1, 2, 3))) > 0.05


def test_cutout_makes_a_rectangle_of_one_colour_and_leaves_the_rest(rng):
    images = (PIXELS / 255).astype(np.float32)
    before = images.copy()
    cut_out(images, replace(OFF, cutout_probability=1.0, maximum_cutout=0.4), rng=rng)
    for after, original in zip(images, before, strict=True):
        changed = (after != original).any(axis=2)
        assert 0 < changed.mean() < 0.25
        assert len(np.unique(after[changed], axis=0)) == 1
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.99


def test_mixup_mixes_pictures_and_targets_by_the_same_share(rng):
    targets = np.array([0.0, 1, 1, 0, 1, 0], np.float32)
    images = np.broadcast_to(targets[:, None, None, None], (6, 4, 4, 3)).astype(np.float32)
    mixed, mixed_targets = mix_up(images, targets, replace(OFF, mixup=0.5), rng=rng)
    np.testing.assert_allclose(mixed[:, 0, 0, 0], mixed_targets, atol=1e-6)
    assert ((mixed_targets > 0) & (mixed_targets < 1)).any()
    same, same_targets = mix_up(images, targets, OFF, rng=rng)
    assert same is images
    assert same_targets is targets
