"""From a trained network to a model folder: measured, calibrated, described."""

import datetime
import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from nnlib.artifact import save_model
from nnlib.conformal import conformal_threshold
from nnlib.manifest import CLASSES, Manifest
from nnlib.metrics import evaluate
from nnlib.model import run_network
from nnlib.network import Network
from nnlib.normalization import Normalization
from nnlib.preprocessing import IMAGE_SIZE, RESAMPLE

from training.datasets import Pictures, Split
from training.reference import MINIMUM_IMAGES, build_reference

COVERAGE = 0.9
CONFIDENCE_BIN_EDGES = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0]


def package_model(
    folder: Path,
    network: Network,
    *,
    measured_on: Mapping[str, Pictures],
    held_back: str | None,
    training: Mapping[str, Any],
    data: Mapping[str, Any] | None,
    normalization: Normalization = Normalization(),  # noqa: B008  frozen
    temperature: float = 1.0,
) -> Manifest:
    """Write models/NAME/VERSION: the weights in float32 and the manifest. The folder's path gives both names.

    Metrics, the conformal threshold and the drift reference are all computed with the float32 network that will serve.
    The latter two come from the set of `measured_on` that `held_back` names, pictures the network has not learnt from.
    Without one no answer is certain and there is no reference; nor is there one under 1,000 pictures.
    """
    network.cast(np.float32)
    outputs = {
        name: run_network(network, normalization, temperature, pictures.pixels)
        for name, pictures in measured_on.items()
    }
    threshold, reference = 1.0, None
    if held_back is not None:
        pictures, (cat_probability, hidden) = measured_on[held_back], outputs[held_back]
        threshold = conformal_threshold(cat_probability, pictures.targets, coverage=COVERAGE)
        if len(pictures) >= MINIMUM_IMAGES:
            rng = np.random.default_rng(0)
            reference = build_reference(pictures.pixels, cat_probability, hidden, sources=[held_back], rng=rng)
    description = {
        "name": folder.parent.name,
        "version": folder.name,
        "created": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "preprocessing": {
            "size": IMAGE_SIZE,
            "resample": RESAMPLE,
            "scale": normalization.scale,
            "mean": list(normalization.mean),
            "std": list(normalization.std),
        },
        "classes": list(CLASSES),
        "temperature": temperature,
        "conformal": {"coverage": COVERAGE, "threshold": threshold, "computed_on": held_back},
        "metrics": {name: evaluate(outputs[name][0], pictures.targets) for name, pictures in measured_on.items()},
        "confidence": {"bin_edges": CONFIDENCE_BIN_EDGES},
        "reference": reference,
        "training": dict(training),
        "data": data,
        "code_revision": code_revision(),
    }
    return save_model(folder, network, description)


def describe_data(split: Split) -> dict[str, Any]:
    """Name, sizes and a hash of what was trained on, so that a model can be traced to its data."""
    return {
        "name": split.name,
        "training_images": len(split.train),
        "training_cats": int(split.train.targets.sum()),
        "test_images": len(split.test),
        "test_cats": int(split.test.targets.sum()),
        "training_sha256": hashlib.sha256(split.train.pixels.tobytes() + split.train.targets.tobytes()).hexdigest(),
    }


def code_revision() -> str:
    """The commit the recipe ran from, or "unknown" outside a repository."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    answer = subprocess.run(  # noqa: S603  fixed arguments
        [git, "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False, timeout=10
    )
    return answer.stdout.strip() or "unknown"
