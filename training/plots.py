"""The pictures of a training run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from nnlib.manifest import CLASSES


def draw_learning_curve(axes: Axes, losses: Sequence[float]) -> None:
    """Loss by step."""
    axes.plot(losses)
    axes.set(xlabel="step", ylabel="loss (binary cross-entropy)", title="Learning curve", ylim=(0, None))
    axes.grid(alpha=0.3)


def draw_confusion_matrix(axes: Axes, confusion: npt.NDArray[np.int64], title: str) -> None:
    """What the pictures are by what they are called.

    Shapes: confusion (2, 2): [is cat][is called cat].
    """
    axes.imshow(confusion, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(confusion):
        colour = "white" if count > confusion.max() / 2 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set(xticks=(0, 1), yticks=(0, 1), xticklabels=CLASSES, yticklabels=CLASSES, title=title)
    axes.set(xlabel="called", ylabel="is")


def save_learning_curve(path: Path, losses: Sequence[float]) -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    draw_learning_curve(figure.subplots(), losses)
    figure.savefig(path, dpi=150)


def save_confusion_matrices(path: Path, confusions: dict[str, npt.NDArray[np.int64]]) -> None:
    """One matrix beside the other, by data set."""
    figure = Figure(figsize=(4 * len(confusions), 4), layout="constrained")
    for axes, (title, confusion) in zip(figure.subplots(1, len(confusions)), confusions.items(), strict=True):
        draw_confusion_matrix(axes, confusion, title)
    figure.savefig(path, dpi=150)
