"""From a network's outputs on held-back pictures to the numbers that make its answers honest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from nnlib.arrays import Array
from nnlib.calibration import Reliability, balance_classes, fit_temperature_and_offset, reliability
from nnlib.conformal import conformal_threshold, is_certain
from nnlib.losses import sigmoid
from nnlib.metrics import DECISION_THRESHOLD, evaluate
from nnlib.network import Network
from nnlib.normalization import Normalization
from nnlib.pictures import LabelledPictures

from training.sources import GROUPS, SOURCES, group_of, mix_weights, source_of

BATCH = 64


@dataclass(frozen=True)
class Calibration:
    """What makes a logit a probability, and when it is sure enough. `computed_on` says in words which pictures.

    `offset` is what was added to the last layer's bias before: package a network that has it.
    """

    temperature: float
    coverage: float
    threshold: float
    computed_on: str | None
    offset: float = 0.0


def run_in_batches(
    network: Network, normalization: Normalization, pixels: npt.NDArray[np.uint8]
) -> tuple[Array, Array]:
    """Shapes: pixels (samples, 64, 64, 3). Returns: logits (samples,), last hidden layer (samples, units)."""
    logits, hidden = zip(
        *(
            network.forward_with_hidden(normalization.apply(pixels[start : start + BATCH]))
            for start in range(0, len(pixels), BATCH)
        ),
        strict=True,
    )
    return np.concatenate(logits)[:, 0], np.concatenate(hidden)


def calibrate(logits: Array, pictures: LabelledPictures, *, coverage: float) -> Calibration:
    """Temperature, offset and threshold for pictures mixed by kind and source as the test part of cats64.

    Validation is a part of train and mixed otherwise. Within one kind and source (dogs of "Dogs vs. Cats", say) the two
    are alike, so every such stratum of validation is given the weight that it has in the test part; the numbers of the
    test part's strata are known from its description. Temperature and offset, a matter of probabilities where cats are
    as common as everything else, get the same weights with each class made one half.

    Shapes: logits (samples,).
    """
    weights = mix_weights(pictures.names, pictures.targets)
    balanced = balance_classes(pictures.targets, weights)
    temperature, offset = fit_temperature_and_offset(logits, pictures.targets, balanced)
    cat_probability = sigmoid((logits + np.float32(offset)) / np.float32(temperature))
    threshold = conformal_threshold(cat_probability, pictures.targets, coverage=coverage, weights=weights)
    return Calibration(
        temperature, coverage, threshold, "cats64 validation, weighted to the mix of cats64 test", offset
    )


def measure(cat_probability: Array, targets: Array, threshold: float) -> dict[str, float | int]:
    """Everything that a table says of one data set: evaluate(), calibration, coverage, share of unsure answers."""
    wrong_by = np.where(targets == 1, 1 - cat_probability, cat_probability)
    return {
        **evaluate(cat_probability, targets),
        "expected_calibration_error": reliability(cat_probability, targets).expected_calibration_error,
        "coverage": float(np.mean(wrong_by <= threshold)),
        "unsure": float(np.mean(~is_certain(cat_probability, threshold))),
    }


def describe_reliability(curve: Reliability) -> list[dict[str, float]]:
    """The diagram as the manifest keeps it: one entry a bin that is not empty, in their order."""
    return [
        {"weight": round(float(weight), 6), "said": round(float(said), 6), "true": round(float(true), 6)}
        for weight, said, true in zip(curve.weight, curve.said, curve.true, strict=True)
        if weight > 0
    ]


def threshold_at_recall(cat_probability: Array, targets: Array, recall: float) -> float:
    """The probability from which on that share of the cats would be called cats."""
    return float(np.quantile(cat_probability[targets == 1], 1 - recall))


def measure_by_kind(cat_probability: Array, pictures: LabelledPictures, threshold: float) -> list[dict[str, Any]]:
    """One line a group and source: how many pictures, how many are called cat (at one half, and where 90 % of the cats
    are found), how many are unsure, and how many of the sets of plausible labels hold the true one.
    """
    called_cat = cat_probability > DECISION_THRESHOLD
    at_recall = cat_probability >= threshold_at_recall(cat_probability, pictures.targets, 0.9)
    covered = np.where(pictures.targets == 1, 1 - cat_probability, cat_probability) <= threshold
    unsure = ~is_certain(cat_probability, threshold)
    kinds = [
        (group_of(name, is_cat=bool(target)), source_of(name))
        for name, target in zip(pictures.names, pictures.targets, strict=True)
    ]
    lines: list[dict[str, Any]] = []
    for group in GROUPS:
        sources = sorted({source for other, source in kinds if other == group}, key=list(SOURCES).index)
        for source in (None, *sources) if len(sources) > 1 else (None,):
            chosen = np.array([kind[0] == group and source in (None, kind[1]) for kind in kinds])
            if chosen.any():
                lines.append(
                    {
                        "group": group,
                        "source": "all" if source is None else SOURCES[source],
                        "images": int(chosen.sum()),
                        "called_cat": float(called_cat[chosen].mean()),
                        "called_cat_at_90_percent_recall": float(at_recall[chosen].mean()),
                        "unsure": float(unsure[chosen].mean()),
                        "covered": float(covered[chosen].mean()),
                    }
                )
    return lines


def hardest_mistakes(cat_probability: Array, targets: Array, count: int) -> npt.NDArray[np.int64]:
    """Positions of the pictures that are most surely called what they are not, the surest first."""
    wrong_by = np.where(targets == 1, 1 - cat_probability, cat_probability)
    order = np.argsort(-wrong_by, kind="stable")[:count]
    return order[wrong_by[order] >= DECISION_THRESHOLD]
