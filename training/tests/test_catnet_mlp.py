"""The original network: its figures to the last stated digit, and its recipe on anybody's pictures."""

import json

import numpy as np
import pytest
from nnlib.artifact import load_model
from PIL import Image

from training import catnet_mlp
from training.catnet_mlp import build_mlp, course_initializer, train_full_batch
from training.datasets import load_split


@pytest.fixture(scope="module")
def trained(course_data):
    split = load_split(course_data)
    network = build_mlp(course_initializer(1))
    return split, network, list(train_full_batch(network, split.train))


def test_the_costs_are_those_of_the_course(trained):
    _, _, losses = trained
    assert len(losses) == 2500
    assert [f"{losses[step]:.4f}" for step in (0, 100, 2400)] == ["0.7717", "0.6721", "0.0929"]


def test_the_accuracies_are_those_of_the_course(trained):
    split, network, _ = trained

    def accuracy(part):
        return np.mean((network.forward(part.pixels / 255)[:, 0] > 0) == part.targets)

    assert f"{accuracy(split.train):.2%}" == "98.56%"
    assert accuracy(split.test) == 0.8


def test_another_seed_gives_other_costs(course_data):
    losses = train_full_batch(build_mlp(course_initializer(2)), load_split(course_data).train)
    assert f"{next(losses):.4f}" != "0.7717"


def run(data, tmp_path, *more):
    return catnet_mlp.main(
        ["--data", str(data), "--models", str(tmp_path / "models"), "--output", str(tmp_path / "out"), *more]
    )


def test_the_layout_of_the_course_makes_version_1(course_like, tmp_path):
    assert run(course_like, tmp_path, "--steps", "120") == 0
    model = load_model(tmp_path / "models" / "catnet-mlp" / "1")
    assert model.manifest.raw["metrics"]["catvnoncat test"]["images"] == 10
    assert model.manifest.raw["training"]["steps"] == 120
    assert list(model.manifest.raw["training"]["losses"]) == ["0", "100"]
    for name in ("learning_curve.png", "confusion_matrix.png"):
        with Image.open(tmp_path / "out" / name) as image:
            assert image.format == "PNG"
            assert min(image.size) > 300


def test_a_user_s_own_pictures_make_the_next_version_and_teach_the_network(class_folders, tmp_path, capsys):
    assert run(class_folders, tmp_path, "--steps", "300") == 0
    model = load_model(tmp_path / "models" / "catnet-mlp" / "2")
    manifest = model.manifest.raw
    assert manifest["data"]["name"] == "mine"
    assert manifest["metrics"]["mine train"]["accuracy"] > 0.9
    assert manifest["reference"] is None
    assert manifest["conformal"]["computed_on"] == "mine test"
    assert "mine test: " in capsys.readouterr().out
    assert run(class_folders, tmp_path, "--steps", "1") == 0
    assert (tmp_path / "models" / "catnet-mlp" / "3").is_dir()


def test_the_same_seed_makes_the_same_weights(course_like, tmp_path):
    digests = set()
    for _ in range(2):
        assert run(course_like, tmp_path, "--steps", "30") == 0
        digests.add(json.loads((tmp_path / "models" / "catnet-mlp" / "1" / "manifest.json").read_text())["sha256"])
    assert len(digests) == 1


def test_without_pictures_it_says_what_to_do_and_fails(tmp_path, capsys):
    assert run(tmp_path / "nowhere", tmp_path) == 1
    captured = capsys.readouterr()
    assert "make train DATA=" in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / "models").exists()
