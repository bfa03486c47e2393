"""Events as integer counts: adding them up is all that merging two buckets, batches or replicas ever needs.

A hash of counts (one minute, one hour, or all time of one model) has these fields; of all time there are neither the
bins of times nor those of features:

    events                        predictions
    label:cat, label:non-cat      predictions by label
    uncertain                     predictions inside the "not sure" band
    latency:<bin>                 total time, by bin of ``percentiles``; decode:<bin> and forward:<bin> likewise
    latency_us                    sum of total times, microseconds
    confidence:<label>:<i>        predictions by label and confidence bin of the manifest
    confidence:<i>                the same of both labels, as monitors counted that did not tell the labels apart
    confidence_millionths         sum of confidences, millionths
    correct_millionths            sum of the probabilities that the label is right, millionths
    correct_variance_millionths   sum of p (1 - p) of those probabilities, millionths
    feature:<name>:<i>            values by bin of the manifest's reference, or of TRAFFIC_FEATURES
    latency_le:<edge>             only of all time: total times by the edges of the Prometheus histogram
    shadow_events                 predictions of shadow models for the same photos
    shadow:<model>:<agrees>       of those: by shadow model, and whether the label is the same
    feedback:<label>:<truth>      predictions that a person has judged, by what was said and what it was
    said:<i>, right:<i>           of those: by confidence bin, and how many of them were right
    said_millionths:<i>           of those: sum of confidences, millionths
    feedback_taken:<agrees>       how often a person said something new: unlike the others it never falls
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from events.prediction import LABELS, Label, PredictionEvent, ServedPrediction
from servicekit.http_metrics import DURATION_BUCKETS_SECONDS

from monitor.counted_prediction import MILLION, CountedPrediction
from monitor.manifests import Manifest, model_id
from monitor.percentiles import bin_of

Counts = Counter[str]

VERSION_FIELDS = ("events", "latency_us", "shadow_events", "feedback_taken:true", "feedback_taken:false")
"""Fields that only ever grow, and one of which grows with every change of a hash of counts."""
_OF_WINDOWS = ("latency:", "decode:", "forward:", "feature:")
LATENCY_EDGES = (*(f"{edge:g}" for edge in DURATION_BUCKETS_SECONDS), "+Inf")


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of a feature: their edges, and their names where the feature is no number."""

    name: str
    bin_edges: tuple[float, ...]
    categories: tuple[str, ...] = ()


FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "other")
_FORMAT_BINS = {name: number for number, name in enumerate(FORMATS)}
_ASPECT_RATIO_EDGES = (0.25, 0.52, 0.65, 0.72, 0.95, 1.05, 1.3, 1.45, 1.7, 2.0, 4.0)
_MEGAPIXELS_EDGES = (0.001, 0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 13.0, 50.0)
TRAFFIC_FEATURES = (
    Bins("aspect_ratio", _ASPECT_RATIO_EDGES),
    Bins("megapixels", _MEGAPIXELS_EDGES),
    Bins("format", tuple(map(float, range(len(FORMATS) + 1))), categories=FORMATS),
)
"""What only traffic has; compared once a reference from traffic is adopted."""


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
        f"confidence:{event.label}:{_bin(manifest.confidence_edges, confidence)}",
    ]
    if not event.certain:
        fields.append("uncertain")
    for feature in manifest.features:
        value = event.cat_probability if feature.name == "cat_probability" else event.features.get(feature.name)
        if value is not None:
            fields.append(f"feature:{feature.name}:{_bin(feature.bin_edges, value)}")
    if event.image_width and event.image_height:
        fields.append(f"feature:aspect_ratio:{_bin(_ASPECT_RATIO_EDGES, event.image_width / event.image_height)}")
        fields.append(f"feature:megapixels:{_bin(_MEGAPIXELS_EDGES, event.image_width * event.image_height / MILLION)}")
    fields.append(f"feature:format:{_FORMAT_BINS.get(event.image_format, len(FORMATS) - 1)}")
    counts.update(fields)
    counts["latency_us"] += round(event.total_seconds * MILLION)
    counts["confidence_millionths"] += round(confidence * MILLION)
    counts["correct_millionths"] += round(correct * MILLION)
    counts["correct_variance_millionths"] += round(correct * (1 - correct) * MILLION)


def count_shadow(counts: Counts, event: PredictionEvent, served: ServedPrediction) -> None:
    """Add a shadow's prediction to the counts of the model that answered."""
    counts["shadow_events"] += 1
    counts[f"shadow:{model_id(event.model_name, event.model_version)}:{_agrees(event.label, served.label)}"] += 1


def feedback_counts(counted: CountedPrediction, truth: Label, manifest: Manifest) -> Counts:
    """What changes in every count that a prediction is in when a person says, or says anew, what it was."""
    number = _bin(manifest.confidence_edges, counted.confidence_millionths / MILLION)
    counts: Counts = Counter()
    for sign, label in ((-1, counted.truth), (1, truth)):
        if label is not None:
            counts[f"feedback:{counted.label}:{label}"] += sign
            counts[f"said:{number}"] += sign
            counts[f"said_millionths:{number}"] += sign * counted.confidence_millionths
            counts[f"right:{number}"] += sign * (counted.label == label)
    counts[f"feedback_taken:{_agrees(counted.label, truth)}"] += 1
    return Counter({field: count for field, count in counts.items() if count})


def latency_edge_field(seconds: float) -> str:
    """The field of the Prometheus histogram that holds a duration: the first edge that is not below it."""
    return f"latency_le:{LATENCY_EDGES[bisect_left(DURATION_BUCKETS_SECONDS, seconds)]}"


def total_of(counts: Counts) -> Counts:
    """What is kept for all time: everything but the bins that only a window is asked for."""
    return Counter({field: count for field, count in counts.items() if not field.startswith(_OF_WINDOWS)})


def merge(counts: Iterable[Mapping[str, int]]) -> Counts:
    """The sum of several counts."""
    merged: defaultdict[str, int] = defaultdict(int)
    for some in counts:
        for field, count in some.items():
            merged[field] += count
    return Counter(merged)


def version_of(counts: Mapping[str, int]) -> str:
    """A text that differs between any two states of a hash of counts; "" for one that does not exist."""
    if not counts:
        return ""
    return ":".join(str(counts.get(field, "")) for field in VERSION_FIELDS)


def bins_of(counts: Mapping[str, int], kind: str) -> dict[int, int]:
    """The bins of one kind ("latency", "feature:brightness"): bin number -> count."""
    prefix = kind + ":"
    return {int(field[len(prefix) :]): count for field, count in counts.items() if field.startswith(prefix)}


def histogram(counts: Mapping[str, int], kind: str, bins: int) -> list[int]:
    """The same as a list, empty bins included."""
    return [counts.get(f"{kind}:{number}", 0) for number in range(bins)]


def confidence_histograms(counts: Mapping[str, int], bins: int) -> tuple[list[int], dict[Label, list[int]]]:
    """Predictions by confidence bin: all of them, and by label those whose label was counted with it."""
    by_label = {label: histogram(counts, f"confidence:{label}", bins) for label in LABELS}
    of_no_label = histogram(counts, "confidence", bins)
    return [sum(some) for some in zip(of_no_label, *by_label.values(), strict=True)], by_label


def _agrees(label: Label, other: Label) -> str:
    return "true" if label == other else "false"


def _bin(edges: tuple[float, ...], value: float) -> int:
    """The bin of a value; the outer bins are open-ended, an edge belongs to the bin above it."""
    return bisect_right(edges, value, 1, len(edges) - 1) - 1
