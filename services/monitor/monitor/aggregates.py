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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from events.prediction import LABELS, Label, PredictionEvent
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


FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC", "other")
_FORMAT_BINS = {name: number for number, name in enumerate(FORMATS)}
_ASPECT_RATIO_EDGES = (0.25, 0.52, 0.65, 0.72, 0.95, 1.05, 1.3, 1.45, 1.7, 2.0, 4.0)
_MEGAPIXELS_EDGES = (0.001, 0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 13.0, 50.0)
TRAFFIC_FEATURES = (
    Bins("aspect_ratio", _ASPECT_RATIO_EDGES),
    Bins("megapixels", _MEGAPIXELS_EDGES),
    Bins("format", tuple(map(float, range(len(FORMATS) + 1))), categories=FORMATS),
)
"""What only traffic has; compared once a reference from traffic is adopted."""


def count_events(events: Sequence[PredictionEvent], manifest: Manifest) -> Counts:
    """The counts of events of one model, a column at a time: a third of what one event at a time costs."""
    counts: Counts = Counter()

    def tally(kind: str, bins: Iterable[object]) -> None:
        for number, count in Counter(bins).items():
            counts[f"{kind}:{number}"] = count

    confidences = [event.confidence for event in events]
    correct = [event.cat_probability if event.label == "cat" else 1 - event.cat_probability for event in events]
    counts["events"] = len(events)
    counts["uncertain"] = sum(not event.certain for event in events)
    counts["latency_us"] = sum(round(event.total_seconds * MILLION) for event in events)
    counts["confidence_millionths"] = sum(round(p * MILLION) for p in confidences)
    counts["correct_millionths"] = sum(round(p * MILLION) for p in correct)
    counts["correct_variance_millionths"] = sum(round(p * (1 - p) * MILLION) for p in correct)
    tally("label", (event.label for event in events))
    tally("latency", (bin_of(event.total_seconds) for event in events))
    tally("decode", (bin_of(event.decode_seconds) for event in events))
    tally("forward", (bin_of(event.forward_seconds) for event in events))
    numbers = _bins(manifest.confidence_edges, confidences)
    tally("confidence", (f"{event.label}:{number}" for event, number in zip(events, numbers, strict=True)))
    for feature in manifest.features:
        tally(f"feature:{feature.name}", _bins(feature.bin_edges, _values(feature.name, events)))
    sizes = [(e.image_width, e.image_height) for e in events if e.image_width and e.image_height]
    tally("feature:aspect_ratio", _bins(_ASPECT_RATIO_EDGES, [width / height for width, height in sizes]))
    tally("feature:megapixels", _bins(_MEGAPIXELS_EDGES, [width * height / MILLION for width, height in sizes]))
    tally("feature:format", (_FORMAT_BINS.get(event.image_format, len(FORMATS) - 1) for event in events))
    return +counts


def count_shadows(events: Sequence[PredictionEvent]) -> Counts:
    """The counts of shadows' predictions, for the model that answered."""
    counts: Counts = Counter(shadow_events=len(events))
    for event in events:
        if event.shadow_of is not None:
            shadow = model_id(event.model_name, event.model_version)
            counts[f"shadow:{shadow}:{_agrees(event.label, event.shadow_of.label)}"] += 1
    return counts


def feedback_counts(counted: CountedPrediction, truth: Label, manifest: Manifest) -> Counts:
    """What changes in every count that a prediction is in when a person says, or says anew, what it was."""
    [number] = _bins(manifest.confidence_edges, [counted.confidence_millionths / MILLION])
    counts: Counts = Counter()
    for sign, label in ((-1, counted.truth), (1, truth)):
        if label is not None:
            counts[f"feedback:{counted.label}:{label}"] += sign
            counts[f"said:{number}"] += sign
            counts[f"said_millionths:{number}"] += sign * counted.confidence_millionths
            counts[f"right:{number}"] += sign * (counted.label == label)
    counts[f"feedback_taken:{_agrees(counted.label, truth)}"] += 1
    return Counter({field: count for field, count in counts.items() if count})


def latency_edges(events: Iterable[PredictionEvent]) -> Counts:
    """The Prometheus histogram's counts: each duration at the first edge that is not below it."""
    edges = Counter(bisect_left(DURATION_BUCKETS_SECONDS, event.total_seconds) for event in events)
    return Counter({f"latency_le:{LATENCY_EDGES[number]}": count for number, count in edges.items()})


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


def _values(feature: str, events: Sequence[PredictionEvent]) -> list[float]:
    """A feature of those events that have it."""
    if feature == "cat_probability":
        return [event.cat_probability for event in events]
    return [event.features[feature] for event in events if feature in event.features]


def _bins(edges: tuple[float, ...], values: Iterable[float]) -> list[int]:
    """The bins of values; the outer bins are open-ended, an edge belongs to the bin above it."""
    last = len(edges) - 1
    return [bisect_right(edges, value, 1, last) - 1 for value in values]
