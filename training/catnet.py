"""catnet: from the pictures of cats64 to models/catnet/1, measured and described.

Two recipes are followed: catnet's own, and that of the original's network on the same pictures, for comparison. Both
can be interrupted at any time and go on where they were. Everything is chosen on the validation part, one picture in
ten of train; the test part is looked at once, at the end, by this command.

Usage: python -m training.catnet [--data FOLDER]
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nnlib.arrays import Array
from nnlib.artifact import load_model
from nnlib.calibration import Reliability, reliability
from nnlib.checkpoint import load_checkpoint
from nnlib.errors import DatasetError, NnlibError
from nnlib.losses import sigmoid
from nnlib.manifest import Manifest
from nnlib.metrics import evaluate
from nnlib.network import Network
from nnlib.normalization import Normalization
from nnlib.pictures import LabelledPictures, read_pictures
from nnlib.recipe import Recipe
from nnlib.training_run import CHECKPOINT_FILE, follow_recipe, validation_part

from training.calibrating import calibrate, describe_reliability, hardest_mistakes, measure_by_kind, run_in_batches
from training.card import write_card
from training.datasets import Pictures, default_folder, load_split
from training.packaging import package_model
from training.plots import save_picture_grid, save_reliability_diagram

ROOT = Path(__file__).parent.parent
RECIPES = ROOT / "training" / "recipes"
RETRAINED = "catnet-mlp, retrained on cats64"
HARDEST = 60
HELD_BACK = "cats64 validation without Tiny ImageNet"  # what serving's resizing makes of photos


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        if not (options.data / "cats64" / "train").is_dir():
            raise DatasetError(f"catnet: no cats64/train and cats64/test with class folders in {options.data}")
        folder = _train_and_package(options.data, options.models, options.output, options.cache)
    except NnlibError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"model: {folder}\nhardest mistakes and history: {options.output / 'catnet'}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train catnet on cats64, or go on; then measure and package it.")
    parser.add_argument("--data", type=Path, default=default_folder(), help="folder with cats64/ (default: $DATA)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where the model folder goes")
    parser.add_argument("--output", type=Path, default=ROOT / "training" / "output", help="checkpoints, history, plots")
    parser.add_argument("--cache", type=Path, default=ROOT / "training" / "output" / "cache", help="decoded pictures")
    return parser.parse_args(arguments)


def _train_and_package(data: Path, models: Path, output: Path, cache: Path) -> Path:
    train = data / "cats64" / "train"
    mlp = follow_recipe(RECIPES / "catnet_mlp_cats64.toml", train, output / "catnet-mlp-cats64", cache=cache)
    network = follow_recipe(RECIPES / "catnet.toml", train, output / "catnet", cache=cache)
    recipe = Recipe.read(RECIPES / "catnet.toml")
    labelled = {
        "cats64 validation": validation_part(read_pictures(train, cache=cache)),
        "cats64 test": read_pictures(data / "cats64" / "test", cache=cache),
    }
    measured_on = _evaluation_sets(data, labelled)
    logits = {name: run_in_batches(network, recipe.normalization, part.pixels)[0] for name, part in labelled.items()}
    calibration = calibrate(logits["cats64 validation"], labelled["cats64 validation"], coverage=recipe.coverage)
    network.layers[-1].parameters["bias"] += np.float32(calibration.offset)
    cat_probability = {
        name: sigmoid((values + np.float32(calibration.offset)) / np.float32(calibration.temperature))
        for name, values in logits.items()
    }
    curves = {name: reliability(cat_probability[name], part.targets) for name, part in labelled.items()}
    folder = models / recipe.name / recipe.version
    manifest = package_model(
        folder,
        network,
        measured_on=measured_on,
        held_back=HELD_BACK,
        training=_describe_training(recipe, output / "catnet"),
        data=_describe_data(labelled, read_pictures(train, cache=cache)),
        normalization=recipe.normalization,
        calibration=calibration,
        more={
            "offset": calibration.offset,  # in the last bias already
            "kinds": {
                name: measure_by_kind(cat_probability[name], part, calibration.threshold)
                for name, part in labelled.items()
            },
            "reliability": {name: describe_reliability(curve) for name, curve in curves.items()},
            "comparison": _compare(measured_on, models / "catnet-mlp" / "1", mlp),
            "views": _compare_views(network, recipe.normalization, labelled["cats64 validation"]),
        },
    )
    _illustrate(folder, output / "catnet", manifest, curves, labelled["cats64 test"], cat_probability["cats64 test"])
    return folder


def _evaluation_sets(data: Path, labelled: Mapping[str, LabelledPictures]) -> dict[str, Pictures]:
    sets: dict[str, Pictures] = {}
    for name, part in labelled.items():
        without = part.where(lambda file: not file.startswith("tin_"))
        sets[name] = Pictures(part.pixels, part.targets)
        sets[f"{name} without Tiny ImageNet"] = Pictures(without.pixels, without.targets)
    if (data / "catvnoncat").is_dir():  # 259 pictures that catnet has never seen, in neither of their parts
        split = load_split(data / "catvnoncat")
        sets |= {"catvnoncat train": split.train, "catvnoncat test": split.test}
    return sets


def _describe_training(recipe: Recipe, run: Path) -> dict[str, Any]:
    checkpoint = load_checkpoint(run / CHECKPOINT_FILE)
    best = min(checkpoint.history, key=lambda entry: entry["validation_loss"])
    return {
        "recipe": f"training/recipes/{recipe.name}.toml",
        **recipe.identity(),
        "steps": checkpoint.step,
        "best": best,
    }


def _describe_data(labelled: Mapping[str, LabelledPictures], everything: LabelledPictures) -> dict[str, Any]:
    validation, test = labelled["cats64 validation"], labelled["cats64 test"]
    return {
        "name": "cats64",
        "training_images": len(everything) - len(validation),
        "training_cats": int(everything.targets.sum() - validation.targets.sum()),
        "validation_images": len(validation),
        "validation_cats": int(validation.targets.sum()),
        "test_images": len(test),
        "test_cats": int(test.targets.sum()),
        "training_fingerprint": everything.fingerprint(),
    }


def _compare(
    measured_on: Mapping[str, Pictures], original: Path, retrained: Network
) -> dict[str, dict[str, dict[str, float | int]]]:
    """The same figures of the original's network, as it is and after following a recipe on the same pictures."""
    networks: dict[str, tuple[Network, Normalization]] = {}
    if (original / "manifest.json").is_file():
        model = load_model(original)
        networks["catnet-mlp, the original"] = model.network, model.manifest.normalization
    networks[RETRAINED] = retrained, Recipe.read(RECIPES / "catnet_mlp_cats64.toml").normalization
    return {
        name: {
            data_set: evaluate(sigmoid(run_in_batches(network, normalization, part.pixels)[0]), part.targets)
            for data_set, part in measured_on.items()
        }
        for name, (network, normalization) in networks.items()
    }


def _compare_views(
    network: Network, normalization: Normalization, validation: LabelledPictures
) -> dict[str, dict[str, float | int]]:
    """What averaging the logits of a picture and of its mirror image would bring."""
    plain, flipped = (
        run_in_batches(network, normalization, pixels)[0]
        for pixels in (validation.pixels, np.ascontiguousarray(validation.pixels[:, :, ::-1]))
    )
    views = {"plain": plain, "plain and flipped": (plain + flipped) / 2}
    return {name: evaluate(sigmoid(logits), validation.targets) for name, logits in views.items()}


def _illustrate(
    folder: Path,
    output: Path,
    manifest: Manifest,
    curves: dict[str, Reliability],
    test: LabelledPictures,
    cat_probability: Array,
) -> None:
    """Card, diagram and learning curve beside the model; the worst mistakes on test where nothing is committed.

    Shapes: cat_probability (samples,), of the pictures of test.
    """
    save_reliability_diagram(folder / "reliability.png", curves)
    write_card(folder / "README.md", manifest.raw)
    shutil.copyfile(output / "history.csv", folder / "history.csv")
    hardest = hardest_mistakes(cat_probability, test.targets, HARDEST)
    if len(hardest):
        save_picture_grid(output / "hardest_mistakes.png", test.pixels[hardest])
    lines = (f"{cat_probability[i]:.3f} {test.names[i]}" for i in hardest)
    (output / "hardest_mistakes.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
