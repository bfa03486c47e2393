"""Reports of the monitor, made up: a dashboard in every state, whatever traffic the test's services had."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

Report = dict[str, Any]

END = datetime(2026, 5, 4, 12, 30, 20, tzinfo=UTC)
MINUTES = 61
BINS = 10
CONFIDENCE_EDGES = [round(0.5 + 0.05 * step, 2) for step in range(BINS + 1)]
FEATURES = {
    "cat_probability": "predictions lean slightly more to cat than in the reference",
    "brightness": "photos are much darker than in the reference",
    "contrast": "photos are lower in contrast than in the reference",
    "saturation": "as in the reference, within chance",
    "colour_balance": "as in the reference, within chance",
    "sharpness": "photos are blurrier than in the reference",
    "hidden_norm": "as in the reference, within chance",
}
DRIFTED = {"cat_probability", "brightness", "contrast", "sharpness"}


def full_report(*, drift_status: str = "ok") -> Report:
    """An hour of traffic, judged by people, with a shadow model, in one of the four states of drift."""
    series = [_minute(minute) for minute in range(MINUTES)]
    total, cat = (sum(point[name] for point in series) for name in ("total", "cat"))
    cat_bins, other_bins = _spread(cat), _spread(total - cat)
    return {
        "window": {
            "name": "1h",
            "seconds": 3600,
            "start": _utc(END - timedelta(minutes=MINUTES - 1)),
            "end": _utc(END),
        },
        "model": {"name": "catnet", "version": "1"},
        "predictions": {
            "total": total,
            "cat": cat,
            "non_cat": total - cat,
            "uncertain": total // 20,
            "cat_ratio": cat / total,
            "per_second": total / 3600,
        },
        "latency_ms": {
            "count": total,
            "avg": 5.41,
            "p50": 4.92,
            "p95": 9.31,
            "p99": 14.2,
            "max": 41.7,
            "relative_error": 0.01,
            "stages": {"decode": {"p50": 3.11}, "forward": {"p50": 1.09}},
        },
        "confidence": {
            "bin_edges": CONFIDENCE_EDGES,
            "counts": [sum(both) for both in zip(cat_bins, other_bins, strict=True)],
            "by_label": {"cat": cat_bins, "non-cat": other_bins},
            "mean": 0.874,
        },
        "drift": {
            "status": drift_status,
            "window_size": 57 if drift_status == "insufficient_data" else total,
            "minimum": 200,
            "false_alarm_rate": 0.01,
            "features": [_feature(name, drift_status) for name in FEATURES],
            "reference": {"source": "manifest", "adopted_at": None, "start": None, "end": None, "events": None},
        },
        "quality": {
            "estimated_accuracy": {
                "value": 0.874,
                "low": 0.862,
                "high": 0.886,
                "reliable": {"ok": True, "insufficient_data": None}.get(drift_status, False),
            },
            "feedback": {
                "count": 120,
                "accuracy": 0.85,
                "low": 0.775,
                "high": 0.903,
                "confusion": {"cat": {"cat": 41, "non-cat": 8}, "non-cat": {"cat": 10, "non-cat": 61}},
                "calibration_error": 0.042,
                "calibration": [_judged(bin_) for bin_ in range(BINS)],
            },
        },
        "shadow": {
            "model": "catnet-mlp/1",
            "compared": 400,
            "disagreements": 88,
            "rate": 0.22,
            "low": 0.182,
            "high": 0.263,
        },
        "pipeline": {
            "lag": 0,
            "lag_is_exact": True,
            "pending": 0,
            "consumed": total,
            "shadow": 400,
            "duplicates": 3,
            "dead": 0,
            "lost": 0,
            "answered": total,
            "buffered": 0,
            "dropped": 0,
            "dropped_by_reason": {},
            "balanced": True,
            "last_event_age_seconds": 1.2,
        },
        "series": series,
        "recent": [_recent(number) for number in range(20)],
    }


def empty_report() -> Report:
    """An hour without a prediction, of services that never answered one."""
    report = full_report(drift_status="insufficient_data")
    nothing = [0] * BINS
    for point in report["series"]:
        point |= {"total": 0, "cat": 0, "p50_ms": None, "p95_ms": None}
    report["predictions"] = dict.fromkeys(report["predictions"], 0) | {"cat_ratio": None, "per_second": 0.0}
    report["latency_ms"] |= dict.fromkeys(("avg", "p50", "p95", "p99", "max")) | {"count": 0}
    report["latency_ms"]["stages"] = {"decode": {"p50": None}, "forward": {"p50": None}}
    report["confidence"] |= {"counts": nothing, "by_label": {"cat": nothing, "non-cat": nothing}, "mean": None}
    report["drift"]["window_size"] = 0
    for feature in report["drift"]["features"]:
        feature |= {"current": nothing, "shift": None}
    report["quality"]["estimated_accuracy"] = {"value": None, "low": None, "high": None, "reliable": None}
    report["quality"]["feedback"] = {
        "count": 0,
        "accuracy": None,
        "low": None,
        "high": None,
        "confusion": {"cat": {"cat": 0, "non-cat": 0}, "non-cat": {"cat": 0, "non-cat": 0}},
        "calibration_error": None,
        "calibration": [{"count": 0, "confidence": None, "accuracy": None, "low": None, "high": None}] * BINS,
    }
    report["shadow"] = None
    report["pipeline"] |= dict.fromkeys(("consumed", "shadow", "duplicates", "answered"), 0)
    report["pipeline"] |= {"last_event_age_seconds": None}
    report["recent"] = []
    return report


def _minute(minute: int) -> Report:
    total = round(24 + 14 * math.sin(minute / 9) + 5 * math.sin(minute * 2.1))
    return {
        "time": _utc(END.replace(second=0) - timedelta(minutes=MINUTES - 1 - minute)),
        "total": total,
        "cat": round(total * (0.4 + 0.12 * math.sin(minute / 7))),
        "p50_ms": 4.9 + 0.5 * math.sin(minute / 4),
        "p95_ms": 9.2 + 1.9 * math.sin(minute / 3),
    }


def _spread(total: int) -> list[int]:
    """total predictions over the bins of confidence, more of them where the model is sure."""
    weights = [1.5**bin_ for bin_ in range(BINS)]
    counts = [int(total * weight / sum(weights)) for weight in weights]
    counts[-1] += total - sum(counts)
    return counts


def _feature(name: str, drift_status: str) -> Report:
    is_known = drift_status != "insufficient_data"
    drifts = name in DRIFTED and drift_status in ("warning", "drift")
    sentence = FEATURES[name] if drifts else "as in the reference, within chance"
    return {
        "name": name,
        "status": drift_status if drifts or not is_known else "ok",
        "psi": (0.412 if drifts else 0.021) if is_known else None,
        "threshold": 0.061 if is_known else None,
        "p_value": (0.0002 if drifts else 0.41) if is_known else None,
        "shift": -0.31 if drifts else 0.02,
        "sentence": sentence if is_known else "too few predictions to tell",
        "bin_edges": [round(0.1 * step, 1) for step in range(BINS + 1)],
        "categories": [],
        "reference": [200] * BINS,
        "current": [260 - 45 * bin_ if drifts and bin_ < 5 else 35 + 2 * (bin_ * 7 % 5) for bin_ in range(BINS)],
    }


def _judged(bin_: int) -> Report:
    if bin_ < 3:
        return {"count": 0, "confidence": None, "accuracy": None, "low": None, "high": None}
    sure = 0.525 + 0.05 * bin_
    right = sure - 0.04 * math.cos(bin_)
    return {
        "count": 4 * bin_,
        "confidence": sure,
        "accuracy": right,
        "low": right - 0.15,
        "high": min(right + 0.1, 1.0),
    }


def _recent(number: int) -> Report:
    confidence = 0.99 - 0.021 * (number * 7 % 20)
    label = "cat" if number % 3 else "non-cat"
    return {
        "prediction_id": f"0196a0b0-0000-7000-8000-{number:012d}",
        "time": _utc(END - timedelta(seconds=9 * number)),
        "label": label,
        "confidence": confidence,
        "certain": confidence > 0.65,
        "latency_ms": 4.2 + number * 0.31,
        "model": "catnet/1",
        "feedback": [None, label, None, "cat", None][number % 5],
    }


def _utc(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
