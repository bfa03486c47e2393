"""One answered prediction, as it travels from inference to monitor.

A stream entry is a flat list of field and value strings, so that ``redis-cli XRANGE predictions - +`` reads well and
Redis stores the repeated field names once. Never the picture, never an address.
"""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

SCHEMA_VERSION = "1"

Label = Literal["cat", "non-cat"]
LABELS: tuple[Label, ...] = get_args(Label)

_FEATURE_PREFIX = "feature_"
_BOOLEANS = {"true": True, "false": False}
_CANONICAL_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LARGEST = sys.float_info.max


class InvalidEvent(ValueError):
    """A stream entry that is not a prediction event; the message names the field."""


@dataclass(frozen=True, slots=True)
class ServedPrediction:
    """The answered prediction that a shadow model repeated: what was answered for the same image.

    It travels inside the shadow's event, so that comparing the two needs no other event.
    """

    prediction_id: str
    model_name: str
    model_version: str
    label: Label
    cat_probability: float


@dataclass(slots=True)
class PredictionEvent:
    """Units: probabilities 0..1, durations in seconds, image size in pixels and bytes, time with a time zone (UTC).

    ``shadow_of`` is set where a shadow model made the prediction: nobody was answered with it, so it is no prediction
    to count among the answered ones.
    """

    prediction_id: str
    time: datetime
    model_name: str
    model_version: str
    label: Label
    cat_probability: float
    certain: bool
    decode_seconds: float
    forward_seconds: float
    total_seconds: float
    image_format: str
    image_width: int
    image_height: int
    image_bytes: int
    features: Mapping[str, float]
    request_id: str = ""
    traceparent: str = ""
    shadow_of: ServedPrediction | None = None

    @property
    def confidence(self) -> float:
        """max(cat_probability, 1 - cat_probability), 0.5..1."""
        return max(self.cat_probability, 1 - self.cat_probability)

    def to_fields(self) -> dict[str, str]:
        """The fields of the stream entry."""
        fields = {
            "schema_version": SCHEMA_VERSION,
            "prediction_id": self.prediction_id,
            "time": self.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "model_name": self.model_name,
            "model_version": self.model_version,
            "label": self.label,
            "cat_probability": repr(self.cat_probability),
            "certain": "true" if self.certain else "false",
            "decode_seconds": f"{self.decode_seconds:.6f}",
            "forward_seconds": f"{self.forward_seconds:.6f}",
            "total_seconds": f"{self.total_seconds:.6f}",
            "image_format": self.image_format,
            "image_width": str(self.image_width),
            "image_height": str(self.image_height),
            "image_bytes": str(self.image_bytes),
            "request_id": self.request_id,
            "traceparent": self.traceparent,
        }
        for name, value in self.features.items():
            fields[_FEATURE_PREFIX + name] = f"{value:.6g}"
        if self.shadow_of is not None:
            fields |= _shadow_fields(self.shadow_of)
        return fields

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> PredictionEvent:
        """Read a stream entry back.

        Raises: InvalidEvent if a field is missing, cannot be read, or is outside its range.
        """
        version = _text(fields, "schema_version")
        if version != SCHEMA_VERSION:
            raise InvalidEvent(f"schema_version {version[:20]!r} is not {SCHEMA_VERSION!r}")
        certain = _text(fields, "certain")
        if certain not in _BOOLEANS:
            raise InvalidEvent(f"certain {certain[:20]!r} is neither true nor false")
        return cls(
            prediction_id=_prediction_id(fields, "prediction_id"),
            time=_time(fields),
            model_name=_text(fields, "model_name"),
            model_version=_text(fields, "model_version"),
            label=_label(fields, "label"),
            cat_probability=_number(fields, "cat_probability", maximum=1.0),
            certain=_BOOLEANS[certain],
            decode_seconds=_number(fields, "decode_seconds"),
            forward_seconds=_number(fields, "forward_seconds"),
            total_seconds=_number(fields, "total_seconds"),
            image_format=_text(fields, "image_format"),
            image_width=_count(fields, "image_width"),
            image_height=_count(fields, "image_height"),
            image_bytes=_count(fields, "image_bytes"),
            features={
                name.removeprefix(_FEATURE_PREFIX): _number(fields, name, minimum=-_LARGEST)
                for name in fields
                if name.startswith(_FEATURE_PREFIX)
            },
            request_id=fields.get("request_id", ""),
            traceparent=fields.get("traceparent", ""),
            shadow_of=_served_prediction(fields) if "shadow_of" in fields else None,
        )


def _shadow_fields(served: ServedPrediction) -> dict[str, str]:
    return {
        "shadow_of": served.prediction_id,
        "served_model_name": served.model_name,
        "served_model_version": served.model_version,
        "served_label": served.label,
        "served_cat_probability": repr(served.cat_probability),
    }


def _served_prediction(fields: Mapping[str, str]) -> ServedPrediction:
    return ServedPrediction(
        prediction_id=_prediction_id(fields, "shadow_of"),
        model_name=_text(fields, "served_model_name"),
        model_version=_text(fields, "served_model_version"),
        label=_label(fields, "served_label"),
        cat_probability=_number(fields, "served_cat_probability", maximum=1.0),
    )


def _text(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name)
    if not value:
        raise InvalidEvent(f"{name} is missing")
    return value


def _label(fields: Mapping[str, str], name: str) -> Label:
    value = _text(fields, name)
    if value not in LABELS:
        raise InvalidEvent(f"{name} {value[:20]!r} is none of {', '.join(LABELS)}")
    return value


def _prediction_id(fields: Mapping[str, str], name: str) -> str:
    value = _text(fields, name)
    if _CANONICAL_UUID.fullmatch(value):
        return value
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise InvalidEvent(f"{name} {value[:40]!r} is not a UUID") from None


def _time(fields: Mapping[str, str]) -> datetime:
    value = _text(fields, "time")
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidEvent(f"time {value[:40]!r} is not an RFC 3339 time") from None
    if time.tzinfo is None:
        raise InvalidEvent(f"time {value[:40]!r} has no time zone")
    return time


def _number(fields: Mapping[str, str], name: str, *, minimum: float = 0.0, maximum: float = _LARGEST) -> float:
    try:
        value = float(fields[name])
    except (KeyError, ValueError):
        raise InvalidEvent(f"{name} {_text(fields, name)[:20]!r} is not a number") from None
    if not minimum <= value <= maximum:  # nor is NaN
        raise InvalidEvent(f"{name} {fields[name][:20]!r} is not within {minimum:g} to {maximum:g}")
    return value


def _count(fields: Mapping[str, str], name: str) -> int:
    text = _text(fields, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidEvent(f"{name} {text[:20]!r} is not a whole number")
    return int(text)
