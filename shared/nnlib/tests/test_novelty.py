import json

import numpy as np
import pytest
from nnlib.novelty import Novelty, fit_novelty, novelty_features

RNG = np.random.default_rng(0)


def photos(count):
    """Smooth colours with some detail, as far as anything drawn is a photo."""
    coarse = RNG.uniform(40, 215, (count, 8, 8, 3)).repeat(8, 1).repeat(8, 2)
    level = RNG.uniform(0.6, 1.2, (count, 1, 1, 1))
    return np.clip(level * (coarse + RNG.normal(0, 12, coarse.shape)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def features():
    return novelty_features(photos(600), RNG.uniform(1, 2, (600, 4)))


def test_the_stated_share_of_ordinary_photos_passes_the_threshold(features):
    novelty = fit_novelty(features[:400], share=0.05)
    assert np.mean(novelty.score(features[:400]) > novelty.threshold) == pytest.approx(0.05, abs=0.003)
    assert np.mean(novelty.score(features[400:]) > novelty.threshold) < 0.12


@pytest.mark.parametrize(
    "pixels",
    [
        RNG.integers(0, 256, (20, 64, 64, 3), dtype=np.uint8),
        np.full((20, 64, 64, 3), 128, np.uint8),
        np.tile(np.array([0, 255], np.uint8), (20, 64, 32))[..., None].repeat(3, -1),
    ],
    ids=["noise", "a blank wall", "stripes"],
)
def test_what_is_no_photo_scores_above_it(features, pixels):
    novelty = fit_novelty(features, share=0.01)
    scores = novelty.score(novelty_features(pixels, RNG.uniform(1, 2, (20, 4))))
    assert (scores > novelty.threshold).all()


def test_the_score_is_the_distance_of_mahalanobis():
    novelty = Novelty(np.zeros(6), np.diag([4.0, 1, 1, 1, 1, 1]), 1.0)
    np.testing.assert_allclose(novelty.score(np.array([[3.0, 0, 0, 0, 0, 8]])), [10])


def test_units_do_not_matter(features):
    scaled = features * [1, 10, 100, 2, 3, 4] + 5
    np.testing.assert_allclose(
        fit_novelty(scaled, share=0.1).score(scaled), fit_novelty(features, share=0.1).score(features), rtol=1e-6
    )


def test_it_survives_the_manifest(features):
    novelty = fit_novelty(features, share=0.01)
    back = Novelty.from_json(json.loads(json.dumps(novelty.to_json())))
    np.testing.assert_array_equal(back.score(features), novelty.score(features))
    assert back.threshold == novelty.threshold


@pytest.mark.parametrize("change", [{"features": ["age"]}, {"mean": [1, 2]}, {"mean": None}, {"threshold": None}])
def test_a_damaged_one_is_refused(features, change):
    with pytest.raises(ValueError, match="novelty"):
        Novelty.from_json({**fit_novelty(features, share=0.01).to_json(), **change})
