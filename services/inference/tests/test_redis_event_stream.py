"""What is sent to Redis for an event, held against hiredis's own packing."""

from __future__ import annotations

from datetime import UTC

import hiredis
from events.prediction import PredictionEvent, ServedPrediction
from hypothesis import given
from hypothesis import strategies as st
from inference.redis_event_stream import pack_event

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
numbers = st.floats(0, 1e9)
ids = st.uuids().map(str)
served = st.builds(
    ServedPrediction,
    prediction_id=ids,
    model_name=texts,
    model_version=texts,
    label=st.sampled_from(["cat", "non-cat"]),
    cat_probability=numbers,
)
events = st.builds(
    PredictionEvent,
    prediction_id=ids,
    time=st.datetimes(timezones=st.just(UTC)),
    model_name=texts,
    model_version=texts,
    label=st.sampled_from(["cat", "non-cat"]),
    cat_probability=numbers,
    certain=st.booleans(),
    decode_seconds=numbers,
    forward_seconds=numbers,
    total_seconds=numbers,
    image_format=texts,
    image_width=st.integers(0),
    image_height=st.integers(0),
    image_bytes=st.integers(0),
    features=st.dictionaries(texts, st.floats()),
    request_id=texts,
    traceparent=texts,
    shadow_of=st.none() | served,
)


@given(events)
def test_an_event_is_packed_as_hiredis_packs_its_fields(event: PredictionEvent) -> None:
    words = ["XADD", "predictions", "MAXLEN", "~", "1000000", "*"]
    for field, value in event.to_fields().items():
        words += [field, value]
    assert pack_event(event) == hiredis.pack_command(tuple(words))
