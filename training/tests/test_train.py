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
    recipes = {name: lambda options, name=name: calls.append((name, options)) or 0 for name in ("one", "two", "three")}
    monkeypatch.setattr(train, "RECIPES", recipes)
    return calls


def test_all_models_are_made_in_order_unless_some_are_named(ran):
    assert train.main(["--data", "x"]) == 0
    assert train.main(["two", "--data", "x"]) == 0
    assert ran == [(name, ["--data", "x"]) for name in ("one", "two", "three", "two")]


def test_a_recipe_that_fails_fails_the_command(ran):
    train.RECIPES["two"] = lambda _: 3
    assert train.main([]) == 3
    assert ran == [("one", [])]
