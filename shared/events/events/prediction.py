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
from functools import lru_cache
from typing import Literal, get_args

SCHEMA_VERSION = "1"

Label = Literal["cat", "non-cat"]
LABELS: tuple[Label, ...] = get_args(Label)

_VERSION = SCHEMA_VERSION.encode()
_FEATURE_PREFIX = "feature_"
_SHADOW_FIELDS = ("shadow_of", "served_model_name", "served_model_version", "served_label", "served_cat_probability")
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

    def field_values(self) -> list[bytes]:
        """In the order of _SHADOW_FIELDS."""
        texts = (self.prediction_id, self.model_name, self.model_version, self.label, repr(self.cat_probability))
        return [text.encode() for text in texts]


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

    def field_names(self) -> tuple[str, ...]:
        """The fields of the stream entry, which are the same for all events of a kind."""
        return _field_names(tuple(self.features), self.shadow_of is not None)

    def field_values(self) -> list[bytes]:
        """The values of the stream entry, in the order of ``field_names()``.

        All numbers are written in one step: six features take 1.1 µs so, and 3.5 one after the other.
        """
        time = self.time.astimezone(UTC)
        numbers = _numbers_format(len(self.features)) % (
            time.year,
            time.month,
            time.day,
            time.hour,
            time.minute,
            time.second,
            time.microsecond,
            self.cat_probability,
            self.decode_seconds,
            self.forward_seconds,
            self.total_seconds,
            self.image_width,
            self.image_height,
            self.image_bytes,
            *self.features.values(),
        )
        values = [
            _VERSION,
            self.prediction_id.encode(),
            self.model_name.encode(),
            self.model_version.encode(),
            self.label.encode(),
            b"true" if self.certain else b"false",
            self.image_format.encode(),
            self.request_id.encode(),
            self.traceparent.encode(),
            *numbers.split(),
        ]
        if self.shadow_of is not None:
            values += self.shadow_of.field_values()
        return values

    def to_fields(self) -> dict[str, str]:
        """The stream entry, as ``from_fields`` reads it."""
        return dict(zip(self.field_names(), map(bytes.decode, self.field_values()), strict=True))

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


@lru_cache(maxsize=64)
def _field_names(features: tuple[str, ...], is_shadow: bool) -> tuple[str, ...]:
    return (
        "schema_version",
        "prediction_id",
        "model_name",
        "model_version",
        "label",
        "certain",
        "image_format",
        "request_id",
        "traceparent",
        "time",
        "cat_probability",
        "decode_seconds",
        "forward_seconds",
        "total_seconds",
        "image_width",
        "image_height",
        "image_bytes",
        *(_FEATURE_PREFIX + name for name in features),
        *(_SHADOW_FIELDS if is_shadow else ()),
    )


@lru_cache(maxsize=64)
def _numbers_format(features: int) -> bytes:
    return b"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ %a %.6f %.6f %.6f %d %d %d" + b" %.6g" * features


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
