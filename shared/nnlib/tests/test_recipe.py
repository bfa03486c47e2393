import re
from pathlib import Path

import numpy as np
import pytest
from nnlib.errors import RecipeError
from nnlib.recipe import Recipe

RECIPES = sorted((Path(__file__).parents[3] / "training" / "recipes").glob("*.toml"))


def test_a_recipe_is_read_whole(recipe_file):
    recipe = Recipe.read(recipe_file)
    assert (recipe.name, recipe.steps, recipe.normalization.std) == ("tiny", 18, (0.25, 0.25, 0.25))
    assert [recipe.image_size(step) for step in (0, 5, 6, 17)] == [16, 16, 24, 24]
    assert recipe.augmentation.mixup == 0.2


def test_the_seed_decides_the_first_weights(recipe_file):
    def weight():
        return Recipe.read(recipe_file).build().parameters()["conv2d1.weight"]

    first = weight()
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, weight())
    recipe_file.write_text(recipe_file.read_text().replace("seed = 3", "seed = 4"))
    assert not np.array_equal(first, weight())


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        ("seed = 3", "", "seed missing or unknown"),
        ("seed = 3", "seed = 3\nlearning = 1", "learning missing or unknown"),
        ("seed = 3", 'seed = "three"', "seed is 'three'"),
        ("batch_size = 8", "batch_size = 8.5", "batch_size is 8.5"),
        ("replicas = 1", "replicas = 3", "batch_size 8 is no multiple of replicas 3"),
        ("learning_rate = 0.02", "learning_rate = 0", "learning_rate is 0"),
        ("learning_rate = 0.02", "learning_rate = nan", "learning_rate is nan"),
        ("coverage = 0.9", "coverage = 1.0", "coverage is 1.0"),
        ("until_step = 18", "until_step = 6", r"phases end at the steps \[6, 6\]"),
        ("phases = .*", "phases = 4", "not iterable"),
        ("mixup = 0.2", "mix = 0.2", "mix"),
        ("home_ = 0.7", "home_ = -1", "cats needs a share above 0"),
        ('"ReLU"', '"Relu"', r"architecture entry 2 has the unknown type 'Relu'"),
        ("dropout_rate = 0.2", "dropout_rate = 2", r"entry 3 \(Dropout\): dropout_rate is 2"),
        ("name = ", "name ", "Expected '='"),
    ],
)
def test_a_faulty_recipe_is_refused_with_file_and_field(recipe_file, pattern, replacement, complaint):
    text, count = re.subn(pattern, replacement, recipe_file.read_text(), count=1)
    assert count == 1
    recipe_file.write_text(text)
    with pytest.raises(RecipeError, match=complaint) as refusal:
        Recipe.read(recipe_file)
    assert str(recipe_file) in str(refusal.value)


def test_an_absent_recipe_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"none\.toml"):
        Recipe.read(tmp_path / "none.toml")


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_the_recipes_of_the_repository_can_be_followed(file):
    recipe = Recipe.read(file)
    images = np.zeros((1, 64, 64, 3), np.float32)
    assert recipe.build().forward(images).shape == (1, 1)
