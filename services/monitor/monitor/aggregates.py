"""Events as integer counts: adding them up is all that merging two buckets, batches or replicas ever needs.

A hash of counts (one minute, one hour, or all time of one model) has these fields:

    events                        predictions
    label:cat, label:non-cat      predictions by label
    uncertain                     predictions inside the "not sure" band
    latency:<bin>                 total time, by bin of ``percentiles``; decode:<bin> and forward:<bin> likewise
    latency_us                    sum of total times, microseconds
    confidence:<i>                predictions by confidence bin of the manifest
    confidence_millionths         sum of confidences, millionths
    correct_millionths            sum of the probabilities that the label is right, millionths
    correct_variance_millionths   sum of p (1 - p) of those probabilities, millionths
    feature:<name>:<i>            values by bin of the manifest's reference
    latency_le:<edge>             only of all time: total times by the edges of the Prometheus histogram
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from events.prediction import PredictionEvent
from servicekit.http_metrics import DURATION_BUCKETS_SECONDS

from monitor.manifests import Manifest
from monitor.percentiles import bin_of

Counts = Counter[str]

MILLION = 1_000_000
LATENCY_EDGES = (*(f"{edge:g}" for edge in DURATION_BUCKETS_SECONDS), "+Inf")


def count_event(counts: Counts, event: PredictionEvent, manifest: Manifest) -> None:
    """Add one event to the counts of its time."""
    confidence = event.confidence
    correct = event.cat_probability if event.label == "cat" else 1 - event.cat_probability
    fields = [
        "events",
        f"label:{event.label}",
        f"latency:{bin_of(event.total_seconds)}",
        f"decode:{bin_of(event.decode_seconds)}",
        f"forward:{bin_of(event.forward_seconds)}",
        f"confidence:{_bin(manifest.confidence_edges, confidence)}",
    ]
    if not event.certain:
        fields.append("uncertain")
    for feature in manifest.features:
        value = event.cat_probability if feature.name == "cat_probability" else event.features.get(feature.name)
        if value is not None:
            fields.append(f"feature:{feature.name}:{_bin(feature.bin_edges, value)}")
    counts.update(fields)
    counts["latency_us"] += round(event.total_seconds * MILLION)
    counts["confidence_millionths"] += round(confidence * MILLION)
    counts["correct_millionths"] += round(correct * MILLION)
    counts["correct_variance_millionths"] += round(correct * (1 - correct) * MILLION)


def latency_edge_field(seconds: float) -> str:
    """The field of the Prometheus histogram that holds a duration: the first edge that is not below it."""
    return f"latency_le:{LATENCY_EDGES[bisect_left(DURATION_BUCKETS_SECONDS, seconds)]}"


def merge(counts: Iterable[Mapping[str, int]]) -> Counts:
    """The sum of several counts."""
    merged: defaultdict[str, int] = defaultdict(int)
    for some in counts:
        for field, count in some.items():
            merged[field] += count
    return Counter(merged)


def bins_of(counts: Mapping[str, int], kind: str) -> dict[int, int]:
    """The bins of one kind ("latency", "feature:brightness"): bin number -> count."""
    prefix = kind + ":"
    return {int(field[len(prefix) :]): count for field, count in counts.items() if field.startswith(prefix)}


def histogram(counts: Mapping[str, int], kind: str, bins: int) -> list[int]:
    """The same as a list, empty bins included."""
    return [counts.get(f"{kind}:{number}", 0) for number in range(bins)]


def _bin(edges: tuple[float, ...], value: float) -> int:
    """The bin of a value; the outer bins are open-ended, an edge belongs to the bin above it."""
    return bisect_right(edges, value, 1, len(edges) - 1) - 1
