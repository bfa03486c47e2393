"""The report: one model over one window, from the counts in Redis.

A window is whole buckets up to now. An empty one gives zeros and nulls.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from events.prediction import InvalidEvent, PredictionEvent
from servicekit.problems import Problem

from monitor.accounting import Accounts
from monitor.aggregates import Counts, bins_of, confidence_histograms
from monitor.batches import read_event
from monitor.buckets import Bucket, Buckets
from monitor.counted_prediction import MILLION, CountedPrediction, hour_made
from monitor.drift import FALSE_ALARM_RATE, MINIMUM_EVENTS, Drift, FeatureDrift, Status, detect_drift
from monitor.drift_words import sentence_of, shift_of
from monitor.manifests import Manifest, Manifests, is_model_name, model_id, version_order
from monitor.percentiles import RELATIVE_ERROR, percentiles
from monitor.quality import Share, estimate_accuracy, judged_predictions, wilson_interval
from monitor.redis_stream import RedisStream
from monitor.references import References
from monitor.running_sum import RunningSums
from monitor.windows import WINDOWS, Window, utc

Report = dict[str, Any]

RECENT = 20
RECENT_SEARCHED = 100
"""How many of the newest entries are searched for a model's last ones."""


class BadQuery(Problem):
    """A window or a model that cannot be reported on."""

    status = 400


class UnknownModel(BadQuery):
    """A model that has neither a manifest nor any prediction."""

    status = 404


class Reports:
    """Builds reports, each from what Redis says at that moment."""

    def __init__(
        self,
        stream: RedisStream,
        manifests: Manifests,
        *,
        default_model: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._buckets = Buckets(stream)
        self._references = References(stream)
        self._sums = RunningSums()
        self._manifests = manifests
        self._default_model = default_model
        self._clock = clock

    async def manifest(self, model: str | None) -> Manifest:
        """The manifest of "name/version", of the newest version of "name", or of the default model's newest.

        Raises: BadQuery if it is no name; UnknownModel if nobody knows it; RedisAway.
        """
        name, slash, version = (self._default_model if model is None else model).partition("/")
        if not is_model_name(name) or (slash and not is_model_name(version)):
            raise BadQuery("model is a name, or name/version")
        [seen] = await self._stream.counts([self._stream.keys.models])
        versions = {*self._manifests.versions(name), *(v for n, _, v in (m.partition("/") for m in seen) if n == name)}
        if version in versions:
            return self._manifests.get(name, version)
        if version or (not versions and model):
            raise UnknownModel("no such model: it has neither a manifest nor any prediction")
        return self._manifests.get(name, max(versions, key=version_order, default="1"))

    async def totals(self) -> list[tuple[Manifest, dict[str, int]]]:
        """The all-time counts of every model that has a manifest or a prediction.

        Raises: RedisAway.
        """
        [seen] = await self._stream.counts([self._stream.keys.models])
        models = sorted({*seen, *(manifest.model for manifest in self._manifests.all())})
        counts = await self._stream.counts([self._stream.keys.total(model) for model in models])
        names = (model.partition("/") for model in models)
        return [(self._manifests.get(n, v), total) for (n, _, v), total in zip(names, counts, strict=True)]

    async def busiest(self, count: int) -> list[Manifest]:
        """So many models: the default one's newest version, and those that made most predictions.

        Raises: RedisAway.
        """
        [seen] = await self._stream.counts([self._stream.keys.models])
        names = (model.partition("/") for model in sorted(seen, key=lambda each: seen[each], reverse=True)[:count])
        models = [await self.manifest(None), *(self._manifests.get(name, version) for name, _, version in names)]
        return list({manifest.model: manifest for manifest in models}.values())[:count]

    async def build(self, window: Window, manifest: Manifest) -> Report:
        """The report of a model over the window that ends now.

        Raises: RedisAway.
        """
        now = self._clock()
        starts, previous_starts = window.buckets(now), window.previous_buckets(now)
        keys = [self._stream.keys.bucket(window.span, manifest.model, start) for start in (*previous_starts, *starts)]
        buckets, reference, accounts, recent = await asyncio.gather(
            self._buckets.read(keys), self._references.get(manifest), self._stream.accounts(), self._recent(manifest)
        )
        # From here on nothing is waited for: the sums are shared with the reports that others are building.
        split = len(previous_starts)
        current = buckets[split:]
        before = self._sums[manifest.model, window.name, "before"].over(keys[:split], buckets[:split])
        counts = self._sums[manifest.model, window.name].over(keys[split:], current)
        drift = detect_drift(reference.features, counts, before)
        return {
            "window": {
                "name": window.name,
                "seconds": window.seconds,
                "start": utc(starts[0]),
                "end": utc(now),
            },
            "model": {"name": manifest.name, "version": manifest.version},
            "predictions": _predictions(counts, now - starts[0]),
            "latency_ms": _latency(counts),
            "confidence": _confidence(counts, manifest),
            "drift": {**_drift(drift), "reference": reference.described()},
            "quality": _quality(counts, manifest, drift.status),
            "shadow": _shadow(counts),
            "pipeline": _pipeline(accounts, now),
            "series": [_point(start, bucket) for start, bucket in zip(starts, current, strict=True)],
            "recent": recent,
        }

    async def _recent(self, manifest: Manifest) -> list[Report]:
        """The model's newest predictions, each once, newest first, with what people said of them."""
        shown: dict[str, PredictionEvent] = {}
        for entry in await self._stream.newest(RECENT_SEARCHED):
            try:
                event = read_event(entry)
            except InvalidEvent:
                continue
            if model_id(event.model_name, event.model_version) == manifest.model and event.shadow_of is None:
                shown.setdefault(event.prediction_id, event)
            if len(shown) == RECENT:
                break
        places = [
            (self._stream.keys.counted(hour_made(id_, event.time.timestamp())), id_) for id_, event in shown.items()
        ]
        known = await self._stream.counted(places)
        return [_recent(event, manifest, text) for event, text in zip(shown.values(), known, strict=True)]


def find_window(name: str) -> Window:
    """Raises: BadQuery if there is no such window."""
    if name not in WINDOWS:
        raise BadQuery(f"window is one of {', '.join(WINDOWS)}")
    return WINDOWS[name]


def _predictions(counts: Counts, seconds: float) -> Report:
    total = counts["events"]
    return {
        "total": total,
        "cat": counts["label:cat"],
        "non_cat": counts["label:non-cat"],
        "uncertain": counts["uncertain"],
        "cat_ratio": counts["label:cat"] / total if total else None,
        "per_second": total / max(seconds, 1.0),
    }


def _latency(counts: Counts) -> Report:
    total = counts["events"]
    p50, p95, p99, largest = _percentiles_ms(counts, "latency", (0.5, 0.95, 0.99, 1.0))
    return {
        "count": total,
        "avg": round(counts["latency_us"] / total / 1000, 4) if total else None,
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "max": largest,
        "relative_error": RELATIVE_ERROR,
        "stages": {stage: {"p50": _percentiles_ms(counts, stage, (0.5,))[0]} for stage in ("decode", "forward")},
    }


def _confidence(counts: Counts, manifest: Manifest) -> Report:
    total = counts["events"]
    of_all, by_label = confidence_histograms(counts, len(manifest.confidence_edges) - 1)
    return {
        "bin_edges": list(manifest.confidence_edges),
        "counts": of_all,
        "by_label": by_label,
        "mean": counts["confidence_millionths"] / MILLION / total if total else None,
    }


def _drift(drift: Drift) -> Report:
    return {
        "status": drift.status,
        "window_size": drift.window_size,
        "minimum": MINIMUM_EVENTS,
        "false_alarm_rate": FALSE_ALARM_RATE,
        "features": [
            {
                "name": feature.reference.name,
                "status": feature.status,
                "psi": feature.psi,
                "threshold": feature.threshold,
                "p_value": feature.p_value,
                "shift": shift_of(feature.reference.counts, feature.current),
                "sentence": _sentence(feature),
                "bin_edges": list(feature.reference.bin_edges),
                "categories": list(feature.reference.categories),
                "reference": list(feature.reference.counts),
                "current": list(feature.current),
            }
            for feature in drift.features
        ],
    }


def _sentence(feature: FeatureDrift) -> str:
    if feature.status == "insufficient_data":
        return "too few predictions to tell"
    return sentence_of(
        feature.reference.name,
        feature.reference.counts,
        feature.current,
        is_beyond_chance=feature.status != "ok",
        categories=feature.reference.categories,
    )


def _quality(counts: Counts, manifest: Manifest, drift_status: Status) -> Report:
    estimate = estimate_accuracy(counts)
    judged = judged_predictions(counts, len(manifest.confidence_edges) - 1)
    return {
        "estimated_accuracy": {
            **_share(estimate),
            # What the model says of itself holds for what it was calibrated on.
            "reliable": None if estimate is None or drift_status == "insufficient_data" else drift_status == "ok",
        },
        "feedback": {
            "count": judged.count,
            "accuracy": judged.accuracy.value if judged.accuracy else None,
            "low": judged.accuracy.low if judged.accuracy else None,
            "high": judged.accuracy.high if judged.accuracy else None,
            "confusion": judged.confusion,
            "calibration_error": judged.calibration_error,
            "calibration": [
                {
                    "count": each.count if each else 0,
                    "confidence": each.confidence if each else None,
                    "accuracy": each.accuracy.value if each else None,
                    "low": each.accuracy.low if each else None,
                    "high": each.accuracy.high if each else None,
                }
                for each in judged.calibration
            ],
        },
    }


def _shadow(counts: Counts) -> Report | None:
    """How often the shadow model that repeated most of these predictions said something else; None without one."""
    compared: Counter[str] = Counter()
    for field, count in counts.items():
        if field.startswith("shadow:"):
            compared[field.split(":")[1]] += count
    if not compared:
        return None
    [(model, total)] = compared.most_common(1)
    disagreements = counts[f"shadow:{model}:false"]
    rate = wilson_interval(disagreements, total)
    return {
        "model": model,
        "compared": total,
        "disagreements": disagreements,
        "rate": rate.value if rate else None,
        "low": rate.low if rate else None,
        "high": rate.high if rate else None,
    }


def _share(share: Share | None) -> Report:
    return {"value": None, "low": None, "high": None} if share is None else asdict(share)


def _pipeline(accounts: Accounts, now: float) -> Report:
    last_event_us = accounts.pipeline.get("last_event_us")
    return {
        "lag": accounts.lag,
        "lag_is_exact": accounts.lag_is_exact,
        "pending": accounts.pending,
        "consumed": accounts.consumed,
        "shadow": accounts.shadow,
        "duplicates": accounts.duplicates,
        "dead": accounts.dead,
        "lost": accounts.lost,
        "answered": accounts.answered,
        "buffered": accounts.buffered,
        "dropped": sum(accounts.dropped.values()),
        "dropped_by_reason": accounts.dropped,
        "balanced": accounts.balanced,
        "last_event_age_seconds": None if last_event_us is None else max(round(now - last_event_us / MILLION, 3), 0.0),
    }


def _point(start: int, bucket: Bucket) -> Report:
    p50, p95 = bucket.latency_percentiles or (None, None)
    return {
        "time": utc(start),
        "total": bucket.events,
        "cat": bucket.cats,
        "p50_ms": _milliseconds(p50),
        "p95_ms": _milliseconds(p95),
    }


def _recent(event: PredictionEvent, manifest: Manifest, known: str | None) -> Report:
    return {
        "prediction_id": event.prediction_id,
        "time": utc(event.time.timestamp()),
        "label": event.label,
        "confidence": event.confidence,
        "certain": event.certain,
        "latency_ms": round(event.total_seconds * 1000, 3),
        "model": manifest.model,
        "feedback": CountedPrediction.from_text(known).truth if known else None,
    }


def _percentiles_ms(counts: Mapping[str, int], kind: str, fractions: Sequence[float]) -> list[float | None]:
    bins = bins_of(counts, kind)
    if not bins:
        return [None] * len(fractions)
    return [_milliseconds(seconds) for seconds in percentiles(bins, fractions)]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 4)
