"""The command nnlib, as a person types it."""

import json
import re
import sys

import numpy as np
import pytest
from nnlib.artifact import load_model
from nnlib.cli import main
from PIL import Image


@pytest.fixture
def model_folder(recipe_file, picture_folder, tmp_path, capsys):
    recipe_file.write_text(recipe_file.read_text().replace("until_step = 18", "until_step = 150"))
    assert main(["train", str(recipe_file), str(picture_folder), str(tmp_path / "run")]) == 0
    capsys.readouterr()
    return tmp_path / "run" / "model"


def test_train_makes_a_calibrated_model_that_can_be_served(model_folder):
    manifest = load_model(model_folder).manifest
    assert (manifest.name, manifest.coverage) == ("tiny", 0.9)
    assert manifest.raw["metrics"]["validation"]["roc_auc"] > 0.95
    assert 0 < manifest.threshold <= 1


def test_predict_answers_for_every_photo_and_names_those_it_cannot_use(model_folder, picture_folder, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no picture")
    cat, dog = picture_folder / "cat" / "home_0.png", picture_folder / "noncat" / "dog_0.png"
    photos = [str(photo) for photo in (cat, tmp_path / "notes.txt", tmp_path / "absent.jpg", dog)]
    assert main(["predict", "--model", str(model_folder), *photos]) == 1
    captured = capsys.readouterr()
    first, second = captured.out.splitlines()
    assert re.match(rf"{cat}: cat, P\(cat\) = [01]\.\d{{3}}", first)
    assert re.match(rf"{dog}: non-cat, P\(cat\) = [01]\.\d{{3}}", second)
    assert [line.split(":")[0].rsplit("/", 1)[1] for line in captured.err.splitlines()] == ["notes.txt", "absent.jpg"]
    assert main(["predict", "--model", str(model_folder), str(cat)]) == 0


def test_evaluate_prints_figures_as_json(model_folder, picture_folder, capsys):
    (picture_folder / "cat" / "notes.txt").write_text("no picture")
    assert main(["evaluate", "--model", str(model_folder), str(picture_folder)]) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert figures["images"] == 120
    assert figures["balanced_accuracy"] > 0.8
    assert "cat/notes.txt" in captured.err


def test_summary_counts_what_a_network_has_learnt_and_what_an_answer_costs(recipe_file, model_folder, capsys):
    assert main(["summary", str(recipe_file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["conv2d1", "32x32x4", "108", f"{32 * 32 * 108:,}"]
    assert lines[-1].split() == ["sum", str(108 + 8 + 5), f"{32 * 32 * 108 + 4:,}"]
    assert main(["summary", str(model_folder)]) == 0
    assert "batchnorm" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["predict", "--model", "absent", "a.jpg"], "absent/manifest.json: No such file"),
        (["summary", "absent"], "absent/manifest.json: No such file"),
        (["train", "absent.toml", "data", "run"], "absent.toml: "),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_status(arguments, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("nnlib: ")
    assert complaint in captured.err
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_photos_unlike_the_known_ones_are_called_so(model_folder, picture_folder, tmp_path, capsys):
    from nnlib.artifact import save_model
    from nnlib.novelty import fit_novelty, novelty_features
    from nnlib.pictures import read_pictures

    model, pixels = load_model(model_folder), read_pictures(picture_folder).pixels
    novelty = fit_novelty(novelty_features(pixels, model.predict(pixels).hidden), share=0.0)
    save_model(model_folder, model.network, {**model.manifest.raw, "novelty": novelty.to_json()})
    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(tmp_path / "wall.png")
    photos = [str(tmp_path / "wall.png"), str(picture_folder / "cat" / "home_1.png")]
    assert main(["predict", "--model", str(model_folder), *photos]) == 0
    wall, cat = capsys.readouterr().out.splitlines()
    assert wall.endswith("unlike the photos it knows")
    assert not cat.endswith("it knows")


def test_exporting_without_onnx_says_what_to_install(model_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "nnlib.onnx_export", raising=False)
    assert main(["export", "--model", str(model_folder), str(tmp_path / "model.onnx")]) == 1
    assert "pip install 'catnet-nnlib[onnx]'" in capsys.readouterr().err
    assert not (tmp_path / "model.onnx").exists()
