"""A model survives its way to disk and back, and nothing that is not exactly it is loaded."""

import hashlib
import json
import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import safetensors.numpy
from nnlib.artifact import load_model, save_model
from nnlib.errors import ArtifactError, ShapeError
from nnlib.layers import Flatten, Linear, ReLU
from nnlib.losses import sigmoid
from nnlib.network import Network

DESCRIPTION = {
    "name": "tiny",
    "version": "1",
    "created": "2026-01-01T00:00:00Z",
    "preprocessing": {"size": 64, "resample": "bicubic", "scale": 1 / 255, "mean": [0.1, 0.2, 0.3], "std": [0.5, 1, 2]},
    "classes": ["non-cat", "cat"],
    "temperature": 2.0,
    "conformal": {"coverage": 0.9, "threshold": 0.6},
    "metrics": {},
    "confidence": {"bin_edges": [0.5, 0.75, 1.0]},
    "reference": None,
}


def tiny_network():
    rng = np.random.default_rng(0)
    return Network([Flatten(), Linear(64 * 64 * 3, 4, rng=rng), ReLU(), Linear(4, 1, rng=rng)])


@pytest.fixture
def folder(tmp_path):
    save_model(tmp_path / "tiny" / "1", tiny_network(), DESCRIPTION)
    return tmp_path / "tiny" / "1"


def pixels(batch=3):
    return np.random.default_rng(1).integers(0, 256, (batch, 64, 64, 3), dtype=np.uint8)


def rewrite(folder, change):
    path = folder / "manifest.json"
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def replace_weights(folder, arrays):
    """Put other weights under a manifest that vouches for them."""
    data = safetensors.numpy.save(arrays)
    (folder / "model.safetensors").write_bytes(data)
    rewrite(folder, lambda fields: fields.update(sha256=hashlib.sha256(data).hexdigest()))


def test_a_loaded_model_predicts_what_the_network_did(folder):
    model = load_model(folder)
    network = tiny_network()
    inputs = (pixels() / 255 - [0.1, 0.2, 0.3]) / [0.5, 1, 2]
    prediction = model.predict(pixels())
    np.testing.assert_allclose(prediction.cat_probability, sigmoid(network.forward(inputs)[:, 0] / 2), atol=1e-5)
    np.testing.assert_allclose(prediction.hidden, network.forward_with_hidden(inputs)[1], rtol=1e-4, atol=1e-4)
    assert prediction.certain.shape == (3,)


def test_serving_is_float32_from_pixels_to_probability(folder):
    prediction = load_model(folder).predict(pixels())
    assert prediction.cat_probability.dtype == prediction.hidden.dtype == np.float32


def test_a_batch_predicts_what_its_pictures_predict_one_by_one(folder):
    model = load_model(folder)
    together = model.predict(pixels()).cat_probability
    np.testing.assert_allclose(
        [model.predict(picture[None]).cat_probability[0] for picture in pixels()], together, rtol=1e-5
    )


def test_an_empty_batch_is_no_error(folder):
    prediction = load_model(folder).predict(pixels(0))
    assert prediction.cat_probability.shape == (0,)
    assert prediction.hidden.shape == (0, 4)


def test_pixels_of_another_size_are_refused(folder):
    with pytest.raises(ShapeError):
        load_model(folder).predict(np.zeros((1, 32, 32, 3), np.uint8))


def test_many_threads_share_one_model(folder):
    model = load_model(folder)
    batches = [np.random.default_rng(seed).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8) for seed in range(8)]
    expected = [model.predict(batch).cat_probability for batch in batches]

    def hammer(batch):
        return [model.predict(batch).cat_probability for _ in range(50)]

    with ThreadPoolExecutor(len(batches)) as threads:
        for got, want in zip(threads.map(hammer, batches), expected, strict=True):
            np.testing.assert_array_equal(got, np.tile(want, (50, 1)))


def test_the_manifest_says_what_was_given_and_what_was_built(folder):
    manifest = load_model(folder).manifest
    assert (manifest.name, manifest.version, manifest.temperature, manifest.threshold) == ("tiny", "1", 2.0, 0.6)
    assert manifest.sha256 == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert manifest.raw["architecture"][1] == {"type": "Linear", "in_features": 12288, "out_features": 4}
    assert {key: manifest.raw[key] for key in DESCRIPTION} == DESCRIPTION


def test_saving_again_replaces_the_model_and_leaves_no_litter(folder):
    save_model(folder, tiny_network(), {**DESCRIPTION, "temperature": 3.0})
    assert load_model(folder).manifest.temperature == 3
    assert sorted(file.name for file in folder.iterdir()) == ["manifest.json", "model.safetensors"]


def test_a_save_that_fails_midway_never_yields_a_mixed_model(folder, monkeypatch):
    old = load_model(folder)
    new = tiny_network()
    new.parameters()["linear1.bias"] += 1
    saved = []

    def dies_after_the_weights(path, data):
        if saved:
            raise OSError("disk full")
        saved.append(path)
        path.write_bytes(data)

    monkeypatch.setattr("nnlib.artifact.write_atomically", dies_after_the_weights)
    with pytest.raises(OSError, match="disk full"):
        save_model(folder, new, DESCRIPTION)
    with pytest.raises(ArtifactError, match="SHA-256"):
        load_model(folder)
    assert old.predict(pixels()).cat_probability.shape == (3,)  # what was loaded serves on


def test_a_description_that_is_no_manifest_is_not_written(tmp_path):
    with pytest.raises(ArtifactError, match="temperature is nan"):
        save_model(tmp_path / "bad", tiny_network(), {**DESCRIPTION, "temperature": float("nan")})
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name}: No such file"):
        load_model(folder)


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_what_would_be_read_for_ever_is_refused(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ArtifactError, match=rf"{name}: is no regular file"):
        load_model(folder)


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_a_huge_file_is_refused_unread(folder, name):
    os.truncate(folder / name, 1 << 33)
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=rf"{name}: larger than"):
            load_model(folder)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_a_truncated_file_is_refused(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ArtifactError, match=name):
        load_model(folder)


def test_one_flipped_bit_in_the_weights_is_refused(folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=r"model\.safetensors: SHA-256 is [0-9a-f]{64}, the manifest says"):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda fields: fields.pop("sha256"), "sha256 is None"),
        (lambda fields: fields.update(sha256="0" * 63), "sha256"),
        (lambda fields: fields.update(format_version=2), "format_version is 2"),
        (lambda fields: fields.update(name="../../etc"), "name"),
        (lambda fields: fields.update(version=1), "version is 1"),
        (lambda fields: fields.update(classes=["cat", "non-cat"]), "classes"),
        (lambda fields: fields.update(temperature=0), "temperature is 0"),
        (lambda fields: fields.update(temperature=True), "temperature is True"),
        (lambda fields: fields.update(temperature=float("inf")), "Infinity is not JSON"),
        (lambda fields: fields["metrics"].update(accuracy=float("nan")), "NaN is not JSON"),
        (lambda fields: fields["preprocessing"].update(size=128), "preprocessing.size is 128"),
        (lambda fields: fields["preprocessing"].update(resample="nearest"), "preprocessing.resample"),
        (lambda fields: fields["preprocessing"].update(std=[1, 0, 1]), "preprocessing.std is 0"),
        (lambda fields: fields["preprocessing"].update(mean=[0, 0]), "preprocessing.mean"),
        (lambda fields: fields["conformal"].update(threshold=1.5), "conformal.threshold is 1.5"),
        (lambda fields: fields.pop("confidence"), "confidence"),
        (lambda fields: fields["confidence"].update(bin_edges=[0.5, 0.5, 1]), "not ascending"),
        (lambda fields: fields.update(reference=[]), "reference"),
        (lambda fields: fields.update(architecture=[]), "architecture"),
        (lambda fields: fields.update(architecture=["Linear"]), "architecture entry 0"),
        (lambda fields: fields["architecture"][1].update(type="os.system"), "unknown type 'os.system'"),
        (lambda fields: fields["architecture"][1].update(out_features=5), "linear1.weight has shape"),
        (lambda fields: fields["architecture"][1].update(in_features=10**15), r"entry 1 \(Linear\)"),
        (lambda fields: fields["architecture"].append({"type": "ReLU", "rng": 1}), "entry 4"),
    ],
)
def test_a_manifest_that_was_tampered_with_is_refused_with_the_field(folder, change, reason):
    rewrite(folder, change)
    with pytest.raises(ArtifactError, match=reason):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"text"', "[" * 100_000, "\xff"])
def test_a_manifest_that_is_not_one_is_refused(folder, text):
    (folder / "manifest.json").write_text(text, encoding="latin1")
    with pytest.raises(ArtifactError, match=r"manifest\.json: "):
        load_model(folder)


def test_weights_that_are_vouched_for_must_still_be_weights(folder):
    arrays = {name: value.astype(np.float32) for name, value in tiny_network().parameters().items()}
    replace_weights(folder, {**arrays, "linear2.bias": np.array([np.nan], np.float32)})
    with pytest.raises(ArtifactError, match=r"linear2\.bias holds numbers that are not finite"):
        load_model(folder)
    replace_weights(folder, {**arrays, "linear2.bias": np.array([1.0])})
    with pytest.raises(ArtifactError, match=r"linear2\.bias is float64"):
        load_model(folder)
    replace_weights(folder, {**arrays, "extra.weight": np.zeros(1, np.float32)})
    with pytest.raises(ArtifactError, match=r"extra\.weight"):
        load_model(folder)


def test_a_pickle_is_not_a_model(folder):
    data = b"\x80\x04\x95" + b"0" * 100
    (folder / "model.safetensors").write_bytes(data)
    rewrite(folder, lambda fields: fields.update(sha256=hashlib.sha256(data).hexdigest()))
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        load_model(folder)
