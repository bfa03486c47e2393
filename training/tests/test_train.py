import pytest
from nnlib.artifact import load_model

from training import train


def test_a_named_model_is_made(course_like, tmp_path):
    arguments = ["--data", str(course_like), "--models", str(tmp_path), "--output", str(tmp_path), "--steps", "2"]
    assert train.main(["catnet-mlp", *arguments]) == 0
    assert load_model(tmp_path / "catnet-mlp" / "1").manifest.name == "catnet-mlp"


@pytest.fixture
def ran(monkeypatch):
    calls = []
    recipes = {name: lambda options, name=name: calls.append((name, options)) or 0 for name in ("catnet-mlp", "catnet")}
    monkeypatch.setattr(train, "RECIPES", recipes)
    return calls


@pytest.fixture
def data(tmp_path):
    (tmp_path / "cats64").mkdir()
    return ["--data", str(tmp_path)]


def test_all_models_are_made_in_order_unless_some_are_named(ran, data):
    assert train.main(data) == 0
    assert train.main(["catnet", *data]) == 0
    assert ran == [("catnet-mlp", data), ("catnet", data), ("catnet", data)]


def test_catnet_is_left_out_with_a_word_where_its_pictures_are_absent(ran, tmp_path, capsys):
    assert train.main(["--data", str(tmp_path)]) == 0
    assert [name for name, _ in ran] == ["catnet-mlp"]
    assert f"no cats64 in {tmp_path}" in capsys.readouterr().err


def test_a_recipe_that_fails_fails_the_command(ran, data):
    train.RECIPES["catnet-mlp"] = lambda _: 3
    assert train.main(data) == 3
    assert not ran
