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
from nnlib.golden import golden_picture
from nnlib.losses import sigmoid
from nnlib.manifest import CLASSES, Manifest
from nnlib.model import run_network
from nnlib.network import Network
from nnlib.normalization import Normalization
from nnlib.novelty import fit_novelty, novelty_features
from nnlib.preprocessing import IMAGE_SIZE, RESAMPLE

from training.calibrating import Calibration, measure, run_in_batches
from training.datasets import Pictures, Split
from training.reference import MINIMUM_IMAGES, build_reference

COVERAGE = 0.9
NOVEL_SHARE = 0.01  # of ordinary photos
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
    calibration: Calibration | None = None,
    more: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write models/NAME/VERSION: the weights in float32 and the manifest. The folder's path gives both names.

    Metrics, the conformal threshold and the drift reference are all computed with the float32 network that will serve.
    The latter two come from the set of `measured_on` that `held_back` names, pictures the network has not learnt from;
    a given calibration replaces the threshold. Without either no answer is certain, without held-back pictures there
    is no reference; nor is there one under 1,000 pictures. `more` is added to the manifest.
    """
    network.cast(np.float32)
    temperature = 1.0 if calibration is None else calibration.temperature
    outputs = {}
    for name, pictures in measured_on.items():
        logits, hidden = run_in_batches(network, normalization, pictures.pixels)
        outputs[name] = sigmoid(logits / np.float32(temperature)), hidden
    reference = novelty = None
    if held_back is not None:
        pictures, (cat_probability, hidden) = measured_on[held_back], outputs[held_back]
        if calibration is None:
            threshold = conformal_threshold(cat_probability, pictures.targets, coverage=COVERAGE)
            calibration = Calibration(1.0, COVERAGE, threshold, held_back)
        if len(pictures) >= MINIMUM_IMAGES:
            rng = np.random.default_rng(0)
            reference = build_reference(pictures.pixels, cat_probability, hidden, sources=[held_back], rng=rng)
            fitted = fit_novelty(novelty_features(pictures.pixels, hidden), share=NOVEL_SHARE)
            novelty = {**fitted.to_json(), "share": NOVEL_SHARE, "computed_on": held_back}
    calibration = calibration or Calibration(1.0, COVERAGE, 1.0, None)
    golden_probability, _ = run_network(network, normalization, temperature, golden_picture()[np.newaxis])
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
            "coverage": calibration.coverage,
            "threshold": calibration.threshold,
            "computed_on": calibration.computed_on,
        },
        "metrics": {
            name: measure(outputs[name][0], pictures.targets, calibration.threshold)
            for name, pictures in measured_on.items()
        },
        "confidence": {"bin_edges": CONFIDENCE_BIN_EDGES},
        "reference": reference,
        "novelty": novelty,
        "golden": {"cat_probability": round(float(golden_probability[0]), 6)},
        "training": dict(training),
        "data": data,
        "code_revision": code_revision(),
        **(more or {}),
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
