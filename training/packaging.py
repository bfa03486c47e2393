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
    held_back: Pictures,
    held_back_name: str,
    training: Mapping[str, Any],
    data: Mapping[str, Any],
    normalization: Normalization = Normalization(),  # noqa: B008  frozen
    temperature: float = 1.0,
) -> Manifest:
    """Write models/<name>/<version>: the weights in float32 and the manifest. The folder's path gives both names.

    Metrics, the conformal threshold and the drift reference are all computed with the float32 network that will serve.
    Both of the latter come from `held_back`, pictures the network has not seen; there is no reference under 1,000.
    """
    network.cast(np.float32)
    cat_probability, hidden = run_network(network, normalization, temperature, held_back.pixels)
    reference = None
    if len(held_back) >= MINIMUM_IMAGES:
        rng = np.random.default_rng(0)
        reference = build_reference(held_back.pixels, cat_probability, hidden, sources=[held_back_name], rng=rng)
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
        "conformal": {
            "coverage": COVERAGE,
            "threshold": conformal_threshold(cat_probability, held_back.targets, coverage=COVERAGE),
            "images": len(held_back),
            "computed_on": held_back_name,
        },
        "metrics": {
            name: evaluate(run_network(network, normalization, temperature, pictures.pixels)[0], pictures.targets)
            for name, pictures in measured_on.items()
        },
        "confidence": {"bin_edges": CONFIDENCE_BIN_EDGES},
        "reference": reference,
        "training": dict(training),
        "data": dict(data),
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
