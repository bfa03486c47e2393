"""The whole way to models/catnet, on made-up pictures that are named as those of cats64 are."""

import re

import numpy as np
import pytest
from nnlib.artifact import load_model
from nnlib.novelty import Novelty
from nnlib.preprocessing import preprocess
from PIL import Image

from training import card, catnet
from training.tests.test_calibrating import NAMES

EXTRA = {("cats", "cdb"): "cdb_cat_{}.jpg", ("dogs", "cdb"): "cdb_dog_{}.jpg", ("other", "ins"): "ins_n02085620_{}.jpg"}
EXTRA[("other", "cal")] = "cal_Faces_{}.jpg"


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    for (group, _), pattern in {**NAMES, **EXTRA}.items():
        for part, count in (("train", 30), ("test", 6)):
            folder = tmp_path / "data" / "cats64" / part / ("cat" if group == "cats" else "noncat")
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                looks_like_a_cat = (group == "cats") == (part == "train" or number > 0)  # the first of test deceives
                colour = (150, 70, 70) if looks_like_a_cat else (70, 70, 150)
                pixels = np.clip(colour + rng.normal(0, 40, (64, 64, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / pattern.format(f"{part}{number}"))
    return tmp_path / "data"


@pytest.fixture
def short_recipes(tmp_path, monkeypatch):
    """The recipes of the repository with a few steps and one replica, on the sources that were made up."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    for file in catnet.RECIPES.glob("*.toml"):
        text = re.sub(r"phases = .*", "phases = [{ until_step = 12, image_size = 48 }]", file.read_text())
        if "mlp" in file.name:
            text = text.replace("image_size = 48", "image_size = 64")
        for field, value in (("replicas", 1), ("batch_size", 16), ("validate_every", 6), ("warm_up_steps", 2)):
            text = re.sub(rf"{field} = \d+", f"{field} = {value}", text)
        text = re.sub(r"tin_n0(?!2129165)\d+ = .*\n", "", text)
        (folder / file.name).write_text(text)
    monkeypatch.setattr(catnet, "RECIPES", folder)


def run(data, tmp_path):
    options = {"data": data, **{name: tmp_path / name for name in ("models", "output", "cache")}}
    return catnet.main([word for name, folder in options.items() for word in (f"--{name}", str(folder))])


def test_one_command_makes_a_model_that_can_be_served_and_its_card(data, short_recipes, tmp_path, monkeypatch):
    monkeypatch.setattr("training.packaging.MINIMUM_IMAGES", 10)
    monkeypatch.setattr("training.reference.REPLICATES", 100)
    assert run(data, tmp_path) == 0
    folder = tmp_path / "models" / "catnet" / "1"
    model = load_model(folder)
    assert {entry["type"] for entry in model.manifest.architecture}.isdisjoint({"BatchNorm", "Dropout"})
    raw = model.manifest.raw
    assert raw["conformal"]["coverage"] == 0.95
    assert raw["reference"]["sources"] == ["cats64 validation without Tiny ImageNet"]
    assert raw["metrics"]["cats64 test"]["images"] == 12 * 6
    assert set(raw["reliability"]) == {"cats64 validation", "cats64 test"}
    assert raw["training"]["steps"] == 12
    assert set(raw["comparison"]) == {catnet.RETRAINED}
    assert Novelty.from_json(raw["novelty"]).threshold > 0
    assert (folder / "history.csv").read_text().count("\n") == 1 + 2  # a line a validation
    text = (folder / "README.md").read_text()
    assert f"{raw['metrics']['cats64 test']['balanced_accuracy']:.1%}" in text
    assert not re.search(r"[{}]", text)
    assert max(map(len, re.findall(r"^(?![|!#]).*$", text, flags=re.M))) <= 118
    for picture in (folder / "reliability.png", tmp_path / "output" / "catnet" / "hardest_mistakes.png"):
        with Image.open(picture) as image:
            assert min(image.size) > 60

    before = (folder / "README.md").read_bytes()
    (folder / "README.md").unlink()
    assert card.main([str(folder)]) == 0
    assert (folder / "README.md").read_bytes() == before

    weights = (folder / "model.safetensors").read_bytes()
    monkeypatch.setattr("nnlib.trainer.Trainer._take_step", None)  # a second time there is nothing left to train
    assert run(data, tmp_path) == 0
    assert (folder / "model.safetensors").read_bytes() == weights


def test_what_is_measured_is_what_serving_answers(data, short_recipes, tmp_path):
    assert run(data, tmp_path) == 0
    model = load_model(tmp_path / "models" / "catnet" / "1")
    files = sorted((data / "cats64" / "test").glob("*/*.jpg"))
    pixels = np.stack([preprocess(file.read_bytes()).pixels for file in files])
    is_cat = np.array([file.parent.name == "cat" for file in files])
    prediction = model.predict(pixels)
    stated = model.manifest.raw["metrics"]["cats64 test"]
    assert np.mean((prediction.cat_probability > 0.5) == is_cat) == pytest.approx(stated["accuracy"])
    assert np.mean(~prediction.certain) == pytest.approx(stated["unsure"])


def test_without_pictures_it_says_so_and_writes_nothing(tmp_path, capsys):
    assert run(tmp_path / "nowhere", tmp_path) == 1
    assert "no cats64/train" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
