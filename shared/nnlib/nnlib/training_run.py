"""Following a recipe from the first step, or from where it was interrupted, to the network that is to be shipped.

folder/checkpoint.safetensors   to go on from
folder/history.csv, .json       one line a validation
"""

import csv
import functools
import io
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlib.arrays import Array
from nnlib.augmentation import augment, mix_up
from nnlib.checkpoint import load_checkpoint, save_checkpoint
from nnlib.files import write_atomically
from nnlib.folding import fold
from nnlib.losses import smooth_labels
from nnlib.metrics import evaluate
from nnlib.model import run_network
from nnlib.network import Network
from nnlib.normalization import Normalization
from nnlib.optimizers import AdamW
from nnlib.pictures import LabelledPictures, in_part, read_pictures
from nnlib.recipe import Recipe
from nnlib.replicas import Exchange, run_replicas
from nnlib.sampling import BalancedSampler, balanced_weights
from nnlib.schedules import WarmUpHoldDecay
from nnlib.trainer import StepReport, Trainer

VALIDATION_ONE_IN = 10
EVALUATION_BATCH = 64
CHECKPOINT_FILE = "checkpoint.safetensors"


def follow_recipe(
    recipe_file: Path, data: Path, folder: Path, *, cache: Path | None = None, progress: bool = True
) -> Network:
    """Train, in as many processes as the recipe says, and return the best averaged network, folded for serving.

    `data` is a folder of class folders; one file in ten of it is used for validation only. If `folder` has a
    checkpoint, of the same recipe and pictures, the training goes on from there.
    Raises: RecipeError, DatasetError, CheckpointError, DivergedError; ReplicaError if a process of ours was killed.
    """
    recipe = Recipe.read(recipe_file)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = read_pictures(data, cache=cache)  # a fault shows here, once, and the replicas find the cache filled
    if pictures.skipped and progress:
        print(f"skipped {len(pictures.skipped)} files:", *pictures.skipped, sep="\n  ", file=sys.stderr)
    network = recipe.build()
    numbers = sum(parameter.size for parameter in network.parameters().values())
    replica = functools.partial(_run_replica, recipe, data, folder, cache, progress)
    run_replicas(replica, count=recipe.replicas, numbers=numbers)
    network.load(load_checkpoint(folder / CHECKPOINT_FILE).arrays["best"])
    return fold(network)


def _run_replica(
    recipe: Recipe, data: Path, folder: Path, cache: Path | None, progress: bool, exchange: Exchange
) -> None:
    pictures = read_pictures(data, cache=cache)
    trainer = make_trainer(recipe, pictures, exchange)
    run = _Run(recipe, trainer, pictures, folder)
    if exchange.rank == 0:
        run.lead(progress=progress)
    else:
        run.follow()


def make_trainer(recipe: Recipe, pictures: LabelledPictures, exchange: Exchange | None = None) -> Trainer:
    """The trainer that a recipe describes, on the pictures that are not held back for validation."""
    part = pictures.where(lambda name: not in_part(name, VALIDATION_ONE_IN))
    sampler = BalancedSampler(part.names, part.targets, cats=recipe.cats, others=recipe.others)

    def minibatch(step: int, rng: np.random.Generator) -> tuple[Array, Array]:
        chosen = sampler.draw(recipe.batch_size // recipe.replicas, rng=rng)
        images = augment(part.pixels[chosen], recipe.augmentation, size=recipe.image_size(step), rng=rng)
        targets = smooth_labels(part.targets[chosen], recipe.label_smoothing)
        images, targets = mix_up(images, targets, recipe.augmentation, rng=rng)
        return recipe.normalization.shift_and_scale(images), targets

    return Trainer(
        recipe.build(),
        AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay),
        minibatch,
        schedule=WarmUpHoldDecay(recipe.steps, recipe.warm_up_steps, recipe.decay_steps),
        seed=recipe.seed,
        maximum_gradient_norm=recipe.maximum_gradient_norm,
        average_decay=recipe.average_decay,
        exchange=exchange,
    )


def validation_part(pictures: LabelledPictures) -> LabelledPictures:
    """The pictures on which choices are made: one file in ten."""
    return pictures.where(lambda name: in_part(name, VALIDATION_ONE_IN))


class _Run:
    """A trainer with its validation, history, checkpoints and end."""

    def __init__(self, recipe: Recipe, trainer: Trainer, pictures: LabelledPictures, folder: Path) -> None:
        self._recipe, self._trainer, self._folder = recipe, trainer, folder
        self._validation = validation_part(pictures)
        self._weights = balanced_weights(
            self._validation.names, self._validation.targets, cats=recipe.cats, others=recipe.others
        )
        self._identity = {"recipe": recipe.identity(), "pictures": pictures.fingerprint()}
        self._history: list[dict[str, float]] = []
        self._best: dict[str, Array] = {}
        if (folder / CHECKPOINT_FILE).is_file():
            checkpoint = load_checkpoint(folder / CHECKPOINT_FILE, identity=self._identity)
            trainer.restore(checkpoint)
            self._history, self._best = checkpoint.history, dict(checkpoint.arrays["best"])
        self._resumed, self._resumed_at = time.monotonic(), trainer.step  # since here the images a second are counted

    def follow(self) -> None:
        """Take the steps that rank 0 takes; when it stops early, the exchange raises."""
        for _ in self._trainer.run(self._recipe.steps):
            pass

    def lead(self, *, progress: bool) -> None:
        recipe, trainer = self._recipe, self._trainer
        loss = self._history[-1]["loss"] if self._history else 0.0
        if self._is_exhausted():
            trainer.exchange.leave()
            return
        with _progress_bar(recipe, done=trainer.step, enabled=progress) as bar:
            for report in trainer.run(recipe.steps):
                loss += 0.02 * (report.loss - loss) if loss else report.loss
                bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
                bar.update(recipe.batch_size)
                if trainer.step % recipe.validate_every == 0 or trainer.step == recipe.steps:
                    self._validate(report, loss)
                    if self._is_exhausted():
                        trainer.exchange.leave()
                        break

    def _validate(self, report: StepReport, loss: float) -> None:
        seconds = time.monotonic() - self._resumed
        averaged = self._trainer.averaged_network()
        figures = {
            "step": self._trainer.step,
            "images": self._trainer.step * self._recipe.batch_size,
            "loss": loss,
            "learning_rate": report.learning_rate,
            "gradient_norm": report.gradient_norm,
            "images_per_second": (self._trainer.step - self._resumed_at) * self._recipe.batch_size / seconds,
            **self._measure(averaged),
        }
        previous = [entry["validation_loss"] for entry in self._history]
        self._history.append(figures)
        if not previous or figures["validation_loss"] < min(previous):
            self._best = averaged.parameters() | averaged.state()
        checkpoint = self._trainer.checkpoint(identity=self._identity, history=self._history, best=self._best)
        save_checkpoint(self._folder / CHECKPOINT_FILE, checkpoint)
        write_history(self._folder, self._history)
        self._resumed, self._resumed_at = time.monotonic(), self._trainer.step

    def _measure(self, network: Network) -> dict[str, float]:
        """Every source counts as the recipe has it drawn, so that the largest does not decide."""
        probability = predict_probabilities(fold(network), self._recipe.normalization, self._validation)
        targets = self._validation.targets
        clipped = np.clip(probability, 1e-7, 1 - 1e-7)
        losses = -np.log(np.where(targets == 1, clipped, 1 - clipped))
        figures = evaluate(probability, targets)
        return {
            "validation_loss": float(losses @ self._weights),
            "validation_balanced_accuracy": float(((probability > 0.5) == (targets == 1)) @ self._weights),
            "validation_roc_auc": figures["roc_auc"],
        }

    def _is_exhausted(self) -> bool:
        """Whether the validation loss has not improved for `patience` validations."""
        losses = [entry["validation_loss"] for entry in self._history]
        return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= self._recipe.patience


def _progress_bar(recipe: Recipe, *, done: int, enabled: bool) -> Any:
    """Images, images a second and the time left: twice a second on a terminal, once a minute in a log."""
    from tqdm import tqdm  # type: ignore[import-untyped]  # an extra: who serves has no use for it

    return tqdm(
        total=recipe.steps * recipe.batch_size,
        initial=done * recipe.batch_size,
        unit=" images",
        disable=not enabled,
        mininterval=0.5 if sys.stderr.isatty() else 60,
    )


def predict_probabilities(network: Network, normalization: Normalization, pictures: LabelledPictures) -> Array:
    """P(cat) of every picture, a few at a time. Shapes: result (samples,)."""
    parts = [
        run_network(network, normalization, 1.0, pictures.pixels[start : start + EVALUATION_BATCH])[0]
        for start in range(0, len(pictures), EVALUATION_BATCH)
    ]
    return np.concatenate(parts)


def write_history(folder: Path, history: Sequence[dict[str, float]]) -> None:
    """The same lines as CSV, for a spreadsheet, and as JSON."""
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_atomically(folder / "history.csv", table.getvalue().encode())
    write_atomically(folder / "history.json", json.dumps(list(history), indent=1).encode() + b"\n")
