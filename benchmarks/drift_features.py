"""Feature tables of held-back pictures, as they are and corrupted: what the examination of the detector draws from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from nnlib.artifact import load_model
from nnlib.model import Model
from nnlib.picture_features import PICTURE_FEATURES, picture_features
from nnlib.pictures import in_part

from benchmarks.corruptions import CORRUPTIONS, SEVERITIES, Pixels, corrupted
from training.datasets import VALIDATION_ONE_IN, class_files, read_pictures

FEATURES = ("cat_probability", *PICTURE_FEATURES, "hidden_norm")
DOG_SHARES = (0.6, 0.8, 1.0)
"""Of traffic, at each severity; among the pictures as they are it is stated with the results."""

Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tables:
    """``usual``: pictures as they are. ``drifted``: (what happened, severity) -> the same of what traffic became.

    Shapes: every table (samples, FEATURES).
    """

    usual: Table
    drifted: Mapping[tuple[str, int], Table]
    dog_share: float


def feature_tables(data: Path, model_folder: Path, *, samples: int) -> Tables:
    """Measure the pictures of cats64 that no model learnt from (without Tiny ImageNet); ``samples`` are corrupted."""
    model = load_model(model_folder)
    training = [f for f in class_files(data / "cats64" / "train") if in_part(f.name, VALIDATION_ONE_IN)]
    files = [f for f in [*training, *class_files(data / "cats64" / "test")] if not f.name.startswith("tin_")]
    rng = np.random.default_rng(0)
    order = rng.permutation(len(files))
    files = [files[number] for number in order]
    pixels = read_pictures(files).pixels
    usual = measure(model, pixels)
    is_dog = np.array(["dog" in file.name for file in files])
    drifted = {
        (name, severity): measure(model, corrupted(pixels[:samples], name, severity, rng))
        for name in CORRUPTIONS
        for severity in SEVERITIES
    }
    for severity, share in zip(SEVERITIES, DOG_SHARES, strict=True):
        dogs = rng.choice(np.flatnonzero(is_dog), round(share * samples))
        others = rng.choice(np.flatnonzero(~is_dog), samples - len(dogs))
        drifted["dogs", severity] = usual[np.concatenate([dogs, others])]
    return Tables(usual, drifted, float(is_dog.mean()))


def measure(model: Model, pixels: Pixels) -> Table:
    """Shapes: pixels (samples, 64, 64, 3), result (samples, FEATURES)."""
    of_pictures = np.array([list(picture_features(picture).values()) for picture in pixels])
    predictions = [model.predict(pixels[start : start + 256]) for start in range(0, len(pixels), 256)]
    cat_probability = np.concatenate([each.cat_probability for each in predictions]).reshape(-1, 1)
    hidden_norm = np.concatenate([np.linalg.norm(each.hidden, axis=1) for each in predictions]).reshape(-1, 1)
    return np.hstack([cat_probability, of_pictures, hidden_norm]).astype(np.float64)
