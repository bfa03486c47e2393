"""An event, as the tests of all who write or read one need it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from events.prediction import PredictionEvent

EVENT = PredictionEvent(
    prediction_id=str(uuid.UUID(int=0)),
    time=datetime(2027, 1, 15, 8, tzinfo=UTC),
    model_name="catnet-mlp",
    model_version="1",
    label="cat",
    cat_probability=0.75,
    certain=True,
    decode_seconds=0.004,
    forward_seconds=0.0002,
    total_seconds=0.006,
    image_format="JPEG",
    image_width=640,
    image_height=480,
    image_bytes=50_000,
    features={"brightness": 0.55},
    request_id="abc-1",
    traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
)


def event(number: int = 0, **changes: Any) -> PredictionEvent:
    """The event whose prediction id is a number."""
    return replace(EVENT, **{"prediction_id": str(uuid.UUID(int=number)), **changes})
