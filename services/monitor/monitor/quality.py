"""How often the labels are right, estimated from what the model says of itself.

While its probabilities are calibrated, a prediction with P(label) = p is right with probability p, so the expected
accuracy is the mean of p, and the number of right ones is a sum of independent Bernoulli variables with variance
sum p (1 - p). Nothing here knows a true label: under drift the probabilities may be wrong, and this with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.aggregates import MILLION

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class EstimatedAccuracy:
    """Units: share of right labels, 0..1, with the interval that holds it in 95 of 100 windows."""

    value: float
    low: float
    high: float


def estimate_accuracy(counts: Mapping[str, int]) -> EstimatedAccuracy | None:
    """The estimate from summed probabilities; None if there are no predictions."""
    events = counts.get("events", 0)
    if not events:
        return None
    value = counts["correct_millionths"] / MILLION / events
    half = _Z_95 * math.sqrt(counts["correct_variance_millionths"] / MILLION) / events
    return EstimatedAccuracy(value, max(value - half, 0.0), min(value + half, 1.0))
