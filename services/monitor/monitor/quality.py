"""How often the labels are right: estimated from what the model says of itself, and measured where people said it.

While its probabilities are calibrated, a prediction with P(label) = p is right with probability p, so the expected
accuracy is the mean of p, and the number of right ones is a sum of independent Bernoulli variables with variance
sum p (1 - p). Nothing in that knows a true label: under drift the probabilities may be wrong, and the
estimate with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from events.prediction import LABELS, Label

from monitor.aggregates import histogram
from monitor.counted_prediction import MILLION

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """Units: a share, 0..1, with the interval that holds the true one in 95 of 100 windows."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Judged predictions whose confidence was in one bin: how sure they were on average, and how often right."""

    count: int
    confidence: float
    accuracy: Share


@dataclass(frozen=True, slots=True)
class JudgedPredictions:
    """What people said: ``confusion[said][truth]``, the share of right ones, and, by confidence bin, both sides of it.

    ``calibration_error`` is the mean of |confidence - accuracy| over the judged predictions' bins.
    """

    count: int
    accuracy: Share | None
    confusion: Mapping[Label, Mapping[Label, int]]
    calibration: Sequence[CalibrationBin | None]
    calibration_error: float | None


def estimate_accuracy(counts: Mapping[str, int]) -> Share | None:
    """The estimate from summed probabilities; None if there are no predictions."""
    events = counts.get("events", 0)
    if not events:
        return None
    value = counts["correct_millionths"] / MILLION / events
    half = _Z_95 * math.sqrt(counts["correct_variance_millionths"] / MILLION) / events
    return Share(value, max(value - half, 0.0), min(value + half, 1.0))


def judged_predictions(counts: Mapping[str, int], confidence_bins: int) -> JudgedPredictions:
    """What people said of the predictions that are in the counts."""
    confusion = {said: {truth: counts.get(f"feedback:{said}:{truth}", 0) for truth in LABELS} for said in LABELS}
    count = sum(sum(row.values()) for row in confusion.values())
    right = sum(confusion[label][label] for label in LABELS)
    bins: list[CalibrationBin | None] = []
    for number, (said, said_right) in enumerate(
        zip(histogram(counts, "said", confidence_bins), histogram(counts, "right", confidence_bins), strict=True)
    ):
        accuracy = wilson_interval(said_right, said)
        confidence = counts.get(f"said_millionths:{number}", 0) / MILLION / max(said, 1)
        bins.append(CalibrationBin(said, confidence, accuracy) if accuracy else None)
    gaps = [each.count * abs(each.confidence - each.accuracy.value) for each in bins if each]
    error = sum(gaps) / count if count else None
    return JudgedPredictions(count, wilson_interval(right, count), confusion, bins, error)


def wilson_interval(successes: int, trials: int) -> Share | None:
    """A share and its 95 % score interval, which is right near 0 and 1 and for few trials too; None without trials.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    if not trials:
        return None
    share, z_squared = successes / trials, _Z_95**2
    centre = (share + z_squared / (2 * trials)) / (1 + z_squared / trials)
    half = _Z_95 / (1 + z_squared / trials) * math.sqrt(share * (1 - share) / trials + z_squared / (4 * trials**2))
    return Share(share, max(centre - half, 0.0), min(centre + half, 1.0))
