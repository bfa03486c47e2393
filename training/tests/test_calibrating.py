import numpy as np
import pytest
from nnlib.calibration import balance_classes, reliability
from nnlib.losses import sigmoid
from nnlib.pictures import LabelledPictures

from training.calibrating import calibrate, hardest_mistakes, measure, measure_by_kind
from training.sources import TEST_MIX

NAMES = {
    ("cats", "tin"): "tin_n02123045_{}.jpg",
    ("cats", "cd"): "cd_cat_{}.jpg",
    ("cats", "catbreed"): "catbreed_{}.jpg",
    ("dogs", "tin"): "tin_n02085620_{}.jpg",
    ("dogs", "cd"): "cd_dog_{}.jpg",
    ("dogs", "dogbreed"): "dogbreed_{}.jpg",
    ("big cats", "tin"): "tin_n02129165_{}.jpg",
    ("other", "tin"): "tin_n03617480_{}.jpg",
}
SKILL = dict(zip(NAMES, (0.5, 3, 2, 1, 2, 3, 0.8, 4), strict=True))  # some kinds are easy, some hard


def draw(counts, rng):
    """Pictures of these kinds without pixels, and logits that are twice as sure as they should be."""
    names, targets, logits = [], [], []
    for kind, count in counts.items():
        target = kind[0] == "cats"
        names += [NAMES[kind].format(number) for number in range(count)]
        targets += [target] * count
        logits += list(2 * ((2 * target - 1) * SKILL[kind] + rng.normal(size=count) * 1.5))
    pixels = np.zeros((len(names), 1), np.uint8)
    return LabelledPictures(pixels, np.array(targets, np.float32), tuple(names)), np.array(logits)


def test_calibrated_on_one_mix_the_coverage_holds_on_the_stated_one():
    rng = np.random.default_rng(0)
    flat = dict.fromkeys(NAMES, 1500)
    validation, logits = draw(flat, rng)
    calibration = calibrate(logits, validation, coverage=0.95)
    test, test_logits = draw({kind: 10 * count for kind, count in TEST_MIX.items()}, rng)
    said = sigmoid((test_logits + calibration.offset) / calibration.temperature)
    assert measure(said, test.targets, calibration.threshold)["coverage"] == pytest.approx(0.95, abs=0.008)
    scaled = (logits + calibration.offset) / calibration.temperature
    unweighted = measure(sigmoid(scaled), validation.targets, calibration.threshold)
    assert abs(unweighted["coverage"] - 0.95) > 0.02  # so the mix does matter here
    before, after = (reliability(probability, test.targets) for probability in (sigmoid(test_logits), said))
    assert after.expected_calibration_error < 0.8 * before.expected_calibration_error


def test_classes_are_balanced_within_given_weights():
    balanced = balance_classes(np.array([1, 1, 0, 0, 0]), np.array([3, 1, 1, 1, 0]))
    np.testing.assert_allclose(balanced, [0.375, 0.125, 0.25, 0.25, 0])


def test_kinds_are_counted_by_group_and_source():
    pictures, _ = draw(dict.fromkeys(NAMES, 10), np.random.default_rng(0))
    cat_probability = np.where(pictures.targets == 1, 0.9, 0.2)
    cat_probability[[name.startswith("dogbreed") for name in pictures.names]] = 0.6
    lines = {(line["group"], line["source"]): line for line in measure_by_kind(cat_probability, pictures, 0.3)}
    assert lines["cats", "all"]["images"] == 30
    assert lines["cats", "all"]["called_cat"] == 1
    assert lines["dogs", "all"]["called_cat"] == pytest.approx(1 / 3)
    assert lines["dogs", "dog breeds"] == {
        "group": "dogs",
        "source": "dog breeds",
        "images": 10,
        "called_cat": 1,
        "called_cat_at_90_percent_recall": 0,
        "unsure": 1,
        "covered": 0,
    }
    assert lines["big cats", "all"]["covered"] == 1
    assert ("big cats", "Tiny ImageNet") not in lines  # one source needs no line of its own


def test_the_hardest_mistakes_are_the_surest_and_nothing_right_is_among_them():
    said, targets = np.array([0.9, 0.8, 0.1, 0.4, 0.99]), np.array([0, 1, 1, 0, 0])
    assert hardest_mistakes(said, targets, 10).tolist() == [4, 0, 2]
    assert hardest_mistakes(said, targets, 2).tolist() == [4, 0]
