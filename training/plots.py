"""The pictures of a training run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from nnlib.calibration import Reliability
from nnlib.manifest import CLASSES
from PIL import Image


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


def save_reliability_diagram(path: Path, curves: dict[str, Reliability]) -> None:
    """What was true against what was said, by data set; on the diagonal a model says how often it is right."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color="grey", linestyle="--", linewidth=1)
    for name, curve in curves.items():
        filled = curve.weight > 0
        axes.plot(curve.said[filled], curve.true[filled], marker="o", markersize=4, label=name)
    axes.set(xlabel="cat probability said", ylabel="share of cats, classes weighing the same", xlim=(0, 1), ylim=(0, 1))
    axes.set(title="Reliability", aspect="equal")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def save_picture_grid(path: Path, pixels: npt.NDArray[np.uint8], *, columns: int = 10, zoom: int = 2) -> None:
    """Pictures side by side, in rows. Shapes: pixels (samples, 64, 64, 3)."""
    height, width = pixels.shape[1] + 2, pixels.shape[2] + 2
    grid = np.full((-(-len(pixels) // columns) * height, columns * width, 3), 255, np.uint8)
    for position, picture in enumerate(pixels):
        row, column = divmod(position, columns)
        grid[row * height + 1 :, column * width + 1 :][: height - 2, : width - 2] = picture
    image = Image.fromarray(grid)
    image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST).save(path)
