"""The model in the repository is what its manifest and its card say."""

from pathlib import Path

import numpy as np
import pytest
from nnlib.artifact import load_model
from nnlib.metrics import evaluate

from training.datasets import evaluation_sets, load_split

FOLDER = Path(__file__).parents[2] / "models" / "catnet-mlp" / "1"


@pytest.fixture(scope="module")
def model():
    return load_model(FOLDER)


def test_it_is_the_original_network(model):
    assert (model.manifest.name, model.manifest.version) == ("catnet-mlp", "1")
    sizes = [entry["in_features"] for entry in model.manifest.architecture if entry["type"] == "Linear"]
    assert sizes == [12288, 20, 7, 5]
    losses = model.manifest.raw["training"]["losses"]
    assert [f"{losses[step]:.4f}" for step in ("0", "100", "2400")] == ["0.7717", "0.6721", "0.0929"]


def test_its_reference_is_large_enough_and_free_of_the_sharper_source(model):
    reference = model.manifest.raw["reference"]
    assert reference["images"] >= 1000
    assert reference["sources"] == ["cats64 validation without Tiny ImageNet"]
    for feature in reference["features"]:
        assert sum(feature["counts"]) == reference["images"]
        assert feature["bin_edges"] == sorted(feature["bin_edges"])


def test_the_card_states_the_figures_of_the_manifest(model):
    card = (FOLDER / "README.md").read_text()
    rows = {row.split("|")[1].strip(): row for row in card.splitlines() if row.startswith("| c")}
    for name in ("catvnoncat train", "catvnoncat test", "cats64 test", "cats64 test without Tiny ImageNet"):
        figures = model.manifest.raw["metrics"][name]
        for stated in (
            f"| {figures['images']:,} |",
            f"{100 * figures['accuracy']:.2f} %",
            f"{100 * figures['balanced_accuracy']:.2f} %",
            f"{figures['roc_auc']:.3f}",
            f"{100 * figures['always_cat_accuracy']:.1f} %",
        ):
            assert stated in rows[name]
    assert f"{model.manifest.threshold:.3f}" in card


def test_it_does_on_the_original_pictures_what_its_manifest_says(model, course_data):
    split = load_split(course_data)
    for name, part in (("catvnoncat train", split.train), ("catvnoncat test", split.test)):
        measured = evaluate(model.predict(part.pixels).cat_probability, part.targets)
        stated = model.manifest.raw["metrics"][name]
        assert measured == pytest.approx({figure: stated[figure] for figure in measured})


def test_its_coverage_holds_on_pictures_it_was_not_calibrated_on(model, course_data):
    if not (course_data / "cats64").is_dir():
        pytest.skip("needs the cats64 pictures: set CATNET_DATA or DATA to the folder that holds cats64/")
    sets, _ = evaluation_sets(course_data, load_split(course_data))
    pictures = sets["cats64 test without Tiny ImageNet"]
    cat_probability = model.predict(pictures.pixels).cat_probability
    covered = np.where(pictures.targets == 1, 1 - cat_probability, cat_probability) <= model.manifest.threshold
    assert covered.mean() == pytest.approx(model.manifest.coverage, abs=0.03)
