from nnlib.artifact import load_model

from training import train


def test_make_train_makes_the_models(course_like, tmp_path):
    arguments = ["--data", str(course_like), "--models", str(tmp_path), "--output", str(tmp_path), "--steps", "2"]
    assert train.main(arguments) == 0
    assert load_model(tmp_path / "catnet-mlp" / "1").manifest.name == "catnet-mlp"


def test_a_recipe_that_fails_fails_the_command(monkeypatch):
    ran = []
    monkeypatch.setattr(train, "RECIPES", [lambda _: 0, lambda _: 3, ran.append])
    assert train.main() == 3
    assert not ran
