"""Which models are served, and which refuse the start."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from inference.errors import UnknownModel
from inference.golden_check import check_golden_picture
from inference.model_registry import ModelRefused, ModelRegistry
from nnlib.artifact import load_model
from nnlib.golden import golden_picture

from services.inference.tests.conftest import MakeModel

SHIPPED = Path(__file__).parents[3] / "models"


def test_every_version_of_every_name_is_served_in_natural_order(models_dir: Path, make_model: MakeModel) -> None:
    for version in ("1", "9", "10"):
        make_model("catnet-mlp", version)
    make_model("other", "1.9")
    make_model("other", "1.10")
    registry = ModelRegistry.load(models_dir, "other")
    served = [(model.manifest.name, model.manifest.version) for model in registry]
    assert served == [("catnet-mlp", v) for v in ("1", "9", "10")] + [("other", v) for v in ("1.9", "1.10")]
    assert registry.get(None) is registry.get("other") is registry.get("other/1.10")


def test_hidden_folders_and_files_beside_the_models_are_no_models(models_dir: Path, make_model: MakeModel) -> None:
    make_model()
    (models_dir / ".git").mkdir()
    (models_dir / "README.md").write_text("models")
    (models_dir / "catnet-mlp" / ".incoming").mkdir()
    registry = ModelRegistry.load(models_dir, "catnet-mlp")
    assert [model.manifest.version for model in registry] == ["1"]


def test_a_name_that_is_not_served_is_unknown(models_dir: Path, make_model: MakeModel) -> None:
    make_model()
    with pytest.raises(UnknownModel):
        ModelRegistry.load(models_dir, "catnet-mlp").get("../catnet-mlp")


def refusal(models_dir: Path, default: str = "catnet-mlp") -> str:
    with pytest.raises(ModelRefused) as refused:
        ModelRegistry.load(models_dir, default)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere" in refusal(tmp_path / "nowhere")


def test_a_default_that_is_not_there_is_named_with_what_is(models_dir: Path, make_model: MakeModel) -> None:
    make_model()
    message = refusal(models_dir, "dognet")
    assert "DEFAULT_MODEL='dognet'" in message
    assert "catnet-mlp" in message


@pytest.mark.parametrize("file", ["model.safetensors", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_a_damaged_model_is_refused_with_the_file(
    models_dir: Path, make_model: MakeModel, file: str, damage: str
) -> None:
    path = make_model() / file
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.write_bytes(path.read_bytes().replace(b'"temperature"', b'"temporature"').replace(b"linear1", b"linear9"))
    assert file in refusal(models_dir)


def test_a_damaged_model_refuses_the_start_also_where_it_is_not_the_default(
    models_dir: Path, make_model: MakeModel
) -> None:
    make_model()
    (make_model("other") / "model.safetensors").write_bytes(b"")
    assert "other" in refusal(models_dir)


def test_a_name_without_versions_is_refused(models_dir: Path, make_model: MakeModel) -> None:
    make_model()
    (models_dir / "empty").mkdir()
    assert "empty" in refusal(models_dir)


def test_a_model_in_another_s_folder_is_refused(models_dir: Path, make_model: MakeModel) -> None:
    make_model("catnet-mlp", "1", folder="2")
    assert "catnet-mlp/1" in refusal(models_dir)


def test_a_version_can_be_named_and_a_bare_name_means_the_highest(models_dir: Path, make_model: MakeModel) -> None:
    for version in ("1", "9", "10"):
        make_model("catnet-mlp", version)
    registry = ModelRegistry.load(models_dir, "catnet-mlp/9")
    assert registry.get(None) is registry.get("catnet-mlp/9")
    assert registry.get("catnet-mlp") is registry.get("catnet-mlp/10")
    assert registry.versions("catnet-mlp") == ["1", "9", "10"]
    for unknown in ("catnet-mlp/2", "catnet-mlp/", "/", "catnet-mlp/9/", "catnet-mlp/../catnet-mlp"):
        with pytest.raises(UnknownModel):
            registry.get(unknown)


def test_a_shadow_that_is_not_there_is_named(models_dir: Path, make_model: MakeModel) -> None:
    make_model()
    with pytest.raises(ModelRefused, match="SHADOW_MODEL='catnet-mlp/2'"):
        ModelRegistry.load(models_dir, "catnet-mlp", "catnet-mlp/2")


def test_a_model_whose_answer_for_the_golden_picture_is_not_the_stated_one_is_refused(
    models_dir: Path, make_model: MakeModel
) -> None:
    model = load_model(make_model())
    answered = float(model.predict(golden_picture()[None]).cat_probability[0])
    for stated, is_right in ((answered, True), (answered + 5e-4, True), (answered + 0.01, False), ("0.5", False)):
        make_model(golden={"cat_probability": stated})
        if is_right:
            ModelRegistry.load(models_dir, "catnet-mlp")
        else:
            assert f"answers {answered:.6f} for the golden picture" in refusal(models_dir)


def test_a_model_without_a_finite_answer_is_refused(models_dir: Path, make_model: MakeModel) -> None:
    scaled_out_of_range = {"size": 64, "resample": "bicubic", "scale": 1e9, "mean": [0, 0, 0], "std": [1e-9] * 3}
    make_model(weight_scale=1e30, preprocessing=scaled_out_of_range)
    assert "no finite probability" in refusal(models_dir)


def test_the_golden_picture_is_the_same_everywhere() -> None:
    assert hashlib.sha256(golden_picture().tobytes()).hexdigest() == (
        "37b2dd46078ddfb5fd83b3340fd3d33dae8771fb29a12a0770333878d3a1a837"
    )


@pytest.mark.parametrize(
    "folder", sorted(SHIPPED.glob("*/*")), ids=lambda folder: f"{folder.parent.name}/{folder.name}"
)
def test_every_shipped_model_states_its_golden_answer_and_gives_it(folder: Path) -> None:
    model = load_model(folder)
    assert 0 < model.manifest.raw["golden"]["cat_probability"] < 1
    check_golden_picture(model)
