"""catnet-mlp: the original project's network, 12288 -> 20 -> 7 -> 5 -> 1, trained as its course trained it.

The recipe is that of "Deep Neural Network - Application" (deeplearning.ai, "Neural Networks and Deep Learning"): pixels
over 255, weights randn / sqrt(fan_in) from NumPy's legacy generator with seed 1, zero biases, all pictures in every
step, learning rate 0.0075, 2,500 steps, float64. Its loss is 0.7717 at the start and 0.0929 at step 2400.

Usage: python -m training.catnet_mlp [--data FOLDER]
"""

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nnlib.arrays import Array
from nnlib.errors import DatasetError
from nnlib.initializers import Initializer
from nnlib.layers import Flatten, Layer, Linear, ReLU
from nnlib.manifest import Manifest
from nnlib.metrics import confusion_matrix
from nnlib.model import run_network
from nnlib.network import Network
from nnlib.normalization import Normalization
from nnlib.optimizers import GradientDescent
from nnlib.training import train
from tqdm import tqdm  # type: ignore[import-untyped]

from training.datasets import Pictures, Split, default_folder, evaluation_sets, load_split
from training.packaging import describe_data, package_model
from training.plots import save_confusion_matrices, save_learning_curve

FEATURES = (12288, 20, 7, 5, 1)
SEED = 1
LEARNING_RATE = 0.0075
STEPS = 2500
NORMALIZATION = Normalization()

ROOT = Path(__file__).parent.parent


def course_initializer(seed: int, gain: float = 1.0) -> Initializer:
    """The course's weights: sqrt(gain / fan_in) * randn, drawn one row an output from NumPy's legacy generator.

    A gain of 2 makes them He's. The generator is private to the initializer: nothing else draws from it.
    """
    legacy = np.random.RandomState(seed)

    def initialize(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Array:
        weight: Array = legacy.standard_normal(shape[::-1]).T * np.sqrt(gain / fan_in)
        return weight

    return initialize


def build_mlp(initializer: Initializer, features: Sequence[int] = FEATURES) -> Network:
    """Linear and ReLU in turn, one logit at the end."""
    rng = np.random.default_rng(SEED)  # not drawn from: the initializer brings the course's own generator
    layers: list[Layer] = [Flatten()]
    for in_features, out_features in itertools.pairwise(features):
        layers += [Linear(in_features, out_features, rng=rng, initializer=initializer), ReLU()]
    return Network(layers[:-1])


def train_full_batch(network: Network, pictures: Pictures, steps: int = STEPS) -> Iterator[float]:
    """The course's training: every step sees all pictures. Yields the loss before each step."""
    inputs = NORMALIZATION.apply(pictures.pixels, np.float64)
    return train(network, itertools.repeat((inputs, pictures.targets), steps), GradientDescent(LEARNING_RATE))


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        split = load_split(options.data)
        measured_on, held_back = evaluation_sets(options.data, split)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    network = build_mlp(course_initializer(SEED))
    losses = list(tqdm(train_full_batch(network, split.train, options.steps), total=options.steps, unit="step"))
    folder = _model_folder(options.models / "catnet-mlp", split)
    manifest = package_model(
        folder,
        network,
        measured_on=measured_on,
        held_back=held_back,
        training=_describe_training(losses),
        data=describe_data(split),
        normalization=NORMALIZATION,
    )
    _draw(options.output, network, losses, split)
    _report(losses, manifest)
    print(f"plots: {options.output}\nmodel: {folder}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the original network, 12288 -> 20 -> 7 -> 5 -> 1.")
    parser.add_argument("--data", type=Path, default=default_folder(), help="folder with pictures (default: $DATA)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where the model folder goes")
    parser.add_argument("--output", type=Path, default=ROOT / "training" / "output", help="where the plots go")
    parser.add_argument("--steps", type=int, default=STEPS)
    return parser.parse_args(arguments)


def _model_folder(models: Path, split: Split) -> Path:
    """Version 1 is the original on the original's pictures; what is trained on others gets the next free number."""
    if split.name == "catvnoncat":
        return models / "1"
    taken = {int(folder.name) for folder in models.glob("*") if folder.name.isdigit()}
    return models / str(max(taken | {1}) + 1)


def _describe_training(losses: Sequence[float]) -> dict[str, Any]:
    return {
        "recipe": "training/catnet_mlp.py",
        "initializer": "randn / sqrt(fan_in), numpy.random.RandomState",
        "seed": SEED,
        "optimizer": "gradient descent, full batch",
        "learning_rate": LEARNING_RATE,
        "steps": len(losses),
        "dtype": "float64",
        "losses": {str(step): loss for step, loss in enumerate(losses) if step % 100 == 0},
    }


def _draw(output: Path, network: Network, losses: Sequence[float], split: Split) -> None:
    output.mkdir(parents=True, exist_ok=True)
    save_learning_curve(output / "learning_curve.png", losses)
    confusions = {
        name: confusion_matrix(run_network(network, NORMALIZATION, 1.0, part.pixels)[0], part.targets)
        for name, part in ((f"{split.name} train", split.train), (f"{split.name} test", split.test))
    }
    save_confusion_matrices(output / "confusion_matrix.png", confusions)


def _report(losses: Sequence[float], manifest: Manifest) -> None:
    for step in (0, 100, 2400):
        if step < len(losses):
            print(f"loss at step {step:4}: {losses[step]:.4f}")
    for name, figures in manifest.raw["metrics"].items():
        print(
            f"{name}: {figures['images']} pictures, accuracy {figures['accuracy']:.2%},"
            f" balanced {figures['balanced_accuracy']:.2%}, always answering cat {figures['always_cat_accuracy']:.2%}"
        )


if __name__ == "__main__":
    sys.exit(main())
