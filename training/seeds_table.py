"""What the figures of the original network are worth: the same recipe from many seeds, as a Markdown table.

Usage: python -m training.seeds_table [--data FOLDER] [--seeds 30]     (about a quarter of an hour)
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nnlib.arrays import Array
from nnlib.metrics import evaluate
from nnlib.model import run_network
from tqdm import tqdm  # type: ignore[import-untyped]

from training.catnet_mlp import NORMALIZATION, STEPS, build_mlp, course_initializer, train_full_batch
from training.datasets import DatasetError, Split, default_folder, load_split

GAINS = {"randn / sqrt(fan_in), the course's": 1.0, "randn * sqrt(2 / fan_in), He": 2.0}


def accuracies(split: Split, seed: int, gain: float, steps: int = STEPS) -> tuple[float, float]:
    """Train from one seed; return the accuracy on the training and on the test part."""
    network = build_mlp(course_initializer(seed, gain))
    for _ in train_full_batch(network, split.train, steps):
        pass
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
