"""A prediction as JSON."""

from __future__ import annotations

from events.prediction import PredictionEvent


def prediction_answer(event: PredictionEvent) -> dict[str, object]:
    """The answer says what the event says: both are made from the one."""
    return {
        "prediction_id": event.prediction_id,
        "label": event.label,
        "confidence": round(event.confidence, 6),
        "cat_probability": event.cat_probability,
        "certain": event.certain,
        "model": {"name": event.model_name, "version": event.model_version},
        "image": {"format": event.image_format, "width": event.image_width, "height": event.image_height},
        "timings_ms": {
            "decode": _milliseconds(event.decode_seconds),
            "forward": _milliseconds(event.forward_seconds),
            "total": _milliseconds(event.total_seconds),
        },
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
