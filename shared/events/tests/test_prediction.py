"""The event survives its journey through the stream, and nothing else passes for one."""

import math
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from events.accounting import PublisherCounters
from events.prediction import InvalidEvent, PredictionEvent, ServedPrediction
from hypothesis import given
from hypothesis import strategies as st

from shared.events.tests.examples import EVENT

seconds = st.integers(0, 10**9).map(lambda microseconds: microseconds / 1_000_000)
text = st.text(min_size=1, max_size=20)
labels = st.sampled_from(["cat", "non-cat"])

served = st.builds(
    ServedPrediction,
    prediction_id=st.uuids().map(str),
    model_name=text,
    model_version=text,
    label=labels,
    cat_probability=st.floats(0, 1),
)
events = st.builds(
    PredictionEvent,
    prediction_id=st.uuids().map(str),
    time=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    model_name=text,
    model_version=text,
    label=labels,
    cat_probability=st.floats(0, 1),
    certain=st.booleans(),
    decode_seconds=seconds,
    forward_seconds=seconds,
    total_seconds=seconds,
    image_format=text,
    image_width=st.integers(1, 100_000),
    image_height=st.integers(1, 100_000),
    image_bytes=st.integers(1, 10**8),
    features=st.dictionaries(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), st.integers(-1000, 1000).map(float)),
    request_id=st.text(max_size=20),
    traceparent=st.text(max_size=55),
    shadow_of=st.none() | served,
)


def shadow_example() -> PredictionEvent:
    return replace(EVENT, shadow_of=ServedPrediction(str(uuid.UUID(int=2)), "catnet", "3", "non-cat", 0.25))


@given(events)
def test_an_event_read_back_equals_the_one_written(event: PredictionEvent) -> None:
    assert PredictionEvent.from_fields(event.to_fields()) == event


def test_every_field_and_value_is_a_string() -> None:
    assert all(isinstance(part, str) for pair in EVENT.to_fields().items() for part in pair)


def test_time_is_written_in_utc_with_a_z() -> None:
    elsewhere = EVENT.time.astimezone(timezone(timedelta(hours=5)))
    for written in (EVENT, replace(EVENT, time=elsewhere)):
        assert written.to_fields()["time"] == "2027-01-15T08:00:00.000000Z"
    assert PredictionEvent.from_fields(EVENT.to_fields() | {"time": elsewhere.isoformat()}).time == EVENT.time


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema_version", "2"),
        ("schema_version", ""),
        ("prediction_id", "7"),
        ("time", "yesterday"),
        ("time", "2026-01-02T03:04:05"),
        ("label", "dog"),
        ("certain", "1"),
        ("cat_probability", "nan"),
        ("cat_probability", "1.01"),
        ("decode_seconds", "-0.1"),
        ("total_seconds", "inf"),
        ("image_width", "-5"),
        ("image_bytes", "1e3"),
        ("image_bytes", "9" * 30),
        ("feature_brightness", "nan"),
        ("model_name", ""),
    ],
)
def test_a_bad_field_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(InvalidEvent, match=field):
        PredictionEvent.from_fields(EVENT.to_fields() | {field: value})


@pytest.mark.parametrize("field", sorted(set(EVENT.to_fields()) - {"request_id", "traceparent", "feature_brightness"}))
def test_a_missing_field_is_refused_by_name(field: str) -> None:
    fields = EVENT.to_fields()
    del fields[field]
    with pytest.raises(InvalidEvent, match=field):
        PredictionEvent.from_fields(fields)


@given(st.dictionaries(st.sampled_from(sorted(EVENT.to_fields())), st.text(max_size=30)))
def test_any_other_entry_is_refused_not_crashed_on(fields: dict[str, str]) -> None:
    try:
        event = PredictionEvent.from_fields(EVENT.to_fields() | fields)
    except InvalidEvent:
        return
    assert 0 <= event.cat_probability <= 1
    assert math.isfinite(event.total_seconds)


def test_only_the_event_of_a_shadow_says_whose_it_is() -> None:
    served_fields = EVENT.to_fields()
    shadow_fields = shadow_example().to_fields()
    assert shadow_fields.items() - served_fields.items() == {
        ("shadow_of", str(uuid.UUID(int=2))),
        ("served_model_name", "catnet"),
        ("served_model_version", "3"),
        ("served_label", "non-cat"),
        ("served_cat_probability", "0.25"),
    }
    assert PredictionEvent.from_fields(served_fields).shadow_of is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shadow_of", "7"),
        ("shadow_of", ""),
        ("served_model_name", ""),
        ("served_model_version", ""),
        ("served_label", "dog"),
        ("served_cat_probability", "1.01"),
    ],
)
def test_a_bad_field_of_a_shadow_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(InvalidEvent, match=field):
        PredictionEvent.from_fields(shadow_example().to_fields() | {field: value})


def test_confidence_is_that_of_the_more_probable_label() -> None:
    assert PredictionEvent.from_fields(EVENT.to_fields() | {"cat_probability": "0.1"}).confidence == 0.9


def test_publisher_counters_survive_their_journey() -> None:
    counters = PublisherCounters(answered=10, published=7, buffered=2, dropped={"buffer_full": 1}, shadow=4)
    assert PublisherCounters.from_fields(counters.to_fields()) == counters
