import pickle

import numpy as np
from nnlib.artifact import load_model

from training import import_parameters
from training.catnet_mlp import build_mlp, course_initializer


def original_parameters():
    """What the original project's script would have pickled: a column a picture, so weights (out, in)."""
    arrays = build_mlp(course_initializer(3)).parameters()
    named = {}
    for position in range(1, 5):
        named[f"W{position}"] = np.ascontiguousarray(arrays[f"linear{position}.weight"].T)
        named[f"b{position}"] = np.full((named[f"W{position}"].shape[0], 1), 0.01 * position)
    return named


def original_probabilities(named, pixels):
    activations = pixels.reshape(len(pixels), -1).T / 255
    for position in range(1, 4):
        activations = np.maximum(named[f"W{position}"] @ activations + named[f"b{position}"], 0)
    return (1 / (1 + np.exp(-(named["W4"] @ activations + named["b4"]))))[0]


def test_the_imported_model_gives_the_original_probabilities(tmp_path):
    named = original_parameters()
    (tmp_path / "parameters.pkl").write_bytes(pickle.dumps(named))
    folder = tmp_path / "models" / "imported" / "1"
    assert import_parameters.main([str(tmp_path / "parameters.pkl"), str(folder)]) == 0
    model = load_model(folder)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), dtype=np.uint8)
    pixels[::2] //= 3
    expected = original_probabilities(named, pixels)
    assert np.ptp(expected) > 0.005
    np.testing.assert_allclose(model.predict(pixels).cat_probability, expected, atol=1e-6)
    assert (model.manifest.name, model.manifest.version) == ("imported", "1")
    assert not model.predict(pixels).certain.any()


def test_with_pictures_the_imported_model_is_measured_and_calibrated(course_like, tmp_path):
    (tmp_path / "parameters.pkl").write_bytes(pickle.dumps(original_parameters()))
    folder = tmp_path / "models" / "imported" / "1"
    assert import_parameters.main([str(tmp_path / "parameters.pkl"), str(folder), "--data", str(course_like)]) == 0
    manifest = load_model(folder).manifest.raw
    assert manifest["metrics"]["catvnoncat test"]["images"] == 10
    assert manifest["conformal"]["computed_on"] == "catvnoncat test"


def test_a_hostile_pickle_makes_one_line_and_no_model(tmp_path, capsys):
    (tmp_path / "parameters.pkl").write_bytes(b"cos\nsystem\n(S'echo ran'\ntR.")
    assert import_parameters.main([str(tmp_path / "parameters.pkl"), str(tmp_path / "models" / "x" / "1")]) == 1
    captured = capsys.readouterr()
    assert captured.err.endswith("parameters.pkl: it asks for os.system, which no array needs\n")
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "models").exists()


def test_an_absent_pickle_makes_one_line(tmp_path, capsys):
    assert import_parameters.main([str(tmp_path / "absent.pkl"), str(tmp_path / "models" / "x" / "1")]) == 1
    assert "No such file" in capsys.readouterr().err
