"""The catnet in the repository is what its manifest and its card say, and good enough to be the default."""

from pathlib import Path

import pytest
from nnlib.artifact import load_model
from nnlib.pictures import read_pictures

from training import card
from training.calibrating import measure

FOLDER = Path(__file__).parents[2] / "models" / "catnet" / "1"


@pytest.fixture(scope="module")
def model():
    if not FOLDER.is_dir():
        pytest.skip("models/catnet/1 has not been made here: make train")
    return load_model(FOLDER)


def test_it_is_folded_and_small(model):
    assert {entry["type"] for entry in model.manifest.architecture}.isdisjoint({"BatchNorm", "Dropout"})
    assert (FOLDER / "model.safetensors").stat().st_size <= 2_000_000


def test_its_card_states_the_figures_of_its_manifest(model):
    assert (FOLDER / "README.md").read_text() == card.render(model.manifest.raw)


def test_it_tells_cats_from_others_better_than_the_prototype_did(model):
    test = model.manifest.raw["metrics"]["cats64 test"]
    assert test["balanced_accuracy"] >= 0.915
    assert test["roc_auc"] >= 0.97
    assert test["expected_calibration_error"] <= 0.03


@pytest.mark.parametrize("data_set", ["cats64 validation", "cats64 test"])
def test_its_reliability_is_that_of_its_calibration_error(model, data_set):
    bins = model.manifest.raw["reliability"][data_set]
    error = sum(each["weight"] * abs(each["said"] - each["true"]) for each in bins)
    assert sum(each["weight"] for each in bins) == pytest.approx(1, abs=1e-4)
    assert error == pytest.approx(model.manifest.raw["metrics"][data_set]["expected_calibration_error"], abs=1e-5)


def test_its_reference_is_large_enough_and_free_of_the_sharper_source(model):
    reference = model.manifest.raw["reference"]
    assert reference["images"] >= 1000
    assert reference["sources"] == ["cats64 validation without Tiny ImageNet"]


def test_it_does_on_the_test_part_what_its_manifest_says(model, course_data):
    if not (course_data / "cats64").is_dir():
        pytest.skip("needs the cats64 pictures: set CATNET_DATA or DATA to the folder that holds cats64/")
    pictures = read_pictures(course_data / "cats64" / "test")
    measured = measure(model.predict(pictures.pixels).cat_probability, pictures.targets, model.manifest.threshold)
    assert measured == pytest.approx(model.manifest.raw["metrics"]["cats64 test"], abs=1e-3)
