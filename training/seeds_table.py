"""What the figures of the original network are worth: the same recipe from many seeds, as a Markdown table.

Usage: python -m training.seeds_table [--data FOLDER] [--seeds 30]
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nnlib.arrays import Array
from nnlib.errors import DatasetError
from nnlib.layers import Layer
from nnlib.metrics import evaluate
from nnlib.model import run_network
from nnlib.network import Network
from nnlib.optimizers import GradientDescent
from nnlib.training import train
from tqdm import tqdm  # type: ignore[import-untyped]

from training.catnet_mlp import LEARNING_RATE, NORMALIZATION, STEPS, build_mlp, course_initializer
from training.datasets import Pictures, Split, default_folder, load_split

GAINS = {"randn / sqrt(fan_in), the course's": 1.0, "randn * sqrt(2 / fan_in), He": 2.0}


class SpannedLinear(Layer):
    """The first Linear of full-batch gradient descent, as one number a picture instead of one a pixel.

    Every gradient of its weight is inputs.T @ output_gradient, so all along weight = start + inputs.T @ coefficients,
    and a step takes the output gradient from the coefficients. Outputs then need nothing of the pictures but their
    inner products: the same numbers up to rounding, and some twenty times faster with 209 pictures of 12,288 pixels.

    Shapes: inputs of forward (samples, samples), the inner products; outputs_at_start (samples, out_features).
    """

    def __init__(self, outputs_at_start: Array) -> None:
        super().__init__()
        self._outputs_at_start = outputs_at_start
        self.parameters = {
            "coefficients": np.zeros_like(outputs_at_start),
            "bias": np.zeros(outputs_at_start.shape[1]),
        }

    def forward(self, inputs: Array, *, training: bool = False) -> Array:
        return self._outputs_at_start + inputs @ self.parameters["coefficients"] + self.parameters["bias"]

    def backward(self, output_gradient: Array) -> Array:
        """Store the gradients; being the first layer, pass nothing on."""
        self.gradients = {"coefficients": output_gradient, "bias": output_gradient.sum(axis=0)}
        return np.empty(0)


def train_quickly(network: Network, pictures: Pictures, steps: int) -> list[float]:
    """Do what train_full_batch does, to a network of Flatten, Linear and more that has not been trained."""
    inputs = NORMALIZATION.apply(pictures.pixels, np.float64).reshape(len(pictures), -1)
    _, first, *others = network.layers
    spanned = SpannedLinear(first.forward(inputs))
    products = inputs @ inputs.T
    losses = list(
        train(
            Network([spanned, *others]),
            itertools.repeat((products, pictures.targets), steps),
            GradientDescent(LEARNING_RATE),
        )
    )
    first.parameters["weight"] = first.parameters["weight"] + inputs.T @ spanned.parameters["coefficients"]
    first.parameters["bias"] = spanned.parameters["bias"]
    return losses


def accuracies(split: Split, seed: int, gain: float, steps: int = STEPS) -> tuple[float, float]:
    """Train from one seed; return the accuracy on the training and on the test part."""
    network = build_mlp(course_initializer(seed, gain))
    train_quickly(network, split.train, steps)
    network.cast(np.float32)
    on_train, on_test = (
        evaluate(run_network(network, NORMALIZATION, 1.0, part.pixels)[0], part.targets)["accuracy"]
        for part in (split.train, split.test)
    )
    return on_train, on_test


def table(split: Split, seeds: int, steps: int = STEPS) -> str:
    """Markdown: one line an initialisation, test accuracy over seeds 0, 1, ..."""
    lines = [
        f"| initial weights | seeds | training median | {split.name} test: median | lowest | highest |",
        "|---|---|---|---|---|---|",
    ]
    with tqdm(total=len(GAINS) * seeds, unit="network") as bar:
        for name, gain in GAINS.items():
            results = []
            for seed in range(seeds):
                results.append(accuracies(split, seed, gain, steps))
                bar.update()
            on_train, on_test = np.array(results).T
            lines.append(f"| {name} | {seeds} | {_percent(float(np.median(on_train)))} | {_spread(on_test)} |")
    always_cat = float(split.test.targets.mean())
    lines.append(f'| none: always answering "cat" | | | {_percent(always_cat)} | | |')
    return "\n".join(lines)


def _spread(accuracy: Array) -> str:
    return " | ".join(_percent(value) for value in np.quantile(accuracy, (0.5, 0, 1)))


def _percent(value: float) -> str:
    return f"{value:.1%}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the original network from many seeds.")
    parser.add_argument("--data", type=Path, default=default_folder(), help="folder with pictures (default: $DATA)")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    try:
        split = load_split(options.data)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(split, options.seeds, options.steps))
    return 0


if __name__ == "__main__":
    sys.exit(main())
