"""A batch says all that its entries change, and nothing about when or where they are read."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from events.prediction import ServedPrediction
from hypothesis import given
from hypothesis import strategies as st
from monitor.batches import MAX_ENTRY_CHARACTERS, StreamEntry, plan
from monitor.keys import Keys
from monitor.manifests import Manifests
from monitor.windows import HOUR, MINUTE

from services.monitor.tests.examples import NOW, entry
from shared.events.tests.examples import EVENT, event

KEYS = Keys()
MODEL = "catnet-mlp/1"


def damaged(**changes: str | None) -> StreamEntry:
    fields = {**event().to_fields(), **changes}
    return StreamEntry(f"{int(NOW * 1000)}-0", {name: text for name, text in fields.items() if text is not None})


def test_an_event_is_counted_in_its_minute_its_hour_and_all_time(manifests: Manifests) -> None:
    batch = plan([entry(1), entry(2, label="non-cat")], manifests, KEYS)
    minute, hour = KEYS.bucket(MINUTE, MODEL, int(NOW)), KEYS.bucket(HOUR, MODEL, int(NOW))
    for key in (minute, hour, KEYS.total(MODEL)):
        assert (batch.counts[key]["events"], batch.counts[key]["label:cat"]) == (2, 1)
    assert batch.counts[KEYS.total(MODEL)]["latency_le:0.01"] == 2
    assert batch.counts[KEYS.models] == {MODEL: 2}
    assert batch.counts[KEYS.pipeline] == {"consumed": 2}
    assert batch.expire_at == {minute: NOW + 60 + MINUTE.kept_seconds, hour: NOW + 3600 + HOUR.kept_seconds}
    assert batch.last_event_us == NOW * 1_000_000


def test_a_late_event_goes_to_the_buckets_of_its_own_time(manifests: Manifests) -> None:
    late = event(time=EVENT.time - timedelta(hours=5))
    batch = plan([StreamEntry(f"{int(NOW * 1000)}-0", late.to_fields())], manifests, KEYS)
    assert batch.counts[KEYS.bucket(HOUR, MODEL, int(NOW) - 5 * 3600)]["events"] == 1


def test_a_copy_within_the_batch_is_a_duplicate(manifests: Manifests) -> None:
    batch = plan([entry(1), entry(2), entry(1)], manifests, KEYS)
    assert batch.counts[KEYS.pipeline] == {"consumed": 2, "duplicates": 1}
    assert len(batch.entry_ids) == 3
    assert sum(map(len, batch.remember.values())) == 2


def test_an_event_known_from_before_is_a_duplicate(manifests: Manifests) -> None:
    batch = plan([entry(1), entry(2)], manifests, KEYS, frozenset({event(1).prediction_id}))
    assert batch.counts[KEYS.pipeline] == {"consumed": 1, "duplicates": 1}
    assert batch.counts[KEYS.total(MODEL)]["events"] == 1


def test_an_entry_set_aside_before_is_a_duplicate_when_it_is_read_again(manifests: Manifests) -> None:
    broken = damaged(label="dog")
    first = plan([broken], manifests, KEYS)
    assert first.remember == {KEYS.counted(int(NOW // 3600)): {broken.id: ""}}
    again = plan([broken], manifests, KEYS, frozenset({broken.id}))
    assert again.counts[KEYS.pipeline] == {"duplicates": 1}
    assert not again.dead


def test_all_copies_of_an_event_are_remembered_in_the_same_place(manifests: Manifests) -> None:
    made = "01940000-0000-7000-8000-000000000000"  # a UUIDv7 says when it was made
    copies = [entry(prediction_id=made, time=EVENT.time + timedelta(hours=hours)) for hours in (0, 30)]
    places = [set(plan([copy], manifests, KEYS).remember) for copy in copies]
    assert places[0] == places[1] == {KEYS.counted(0x0194_0000_0000 // 3_600_000)}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema_version": "2"}, "schema_version"),
        ({"prediction_id": None}, "prediction_id"),
        ({"label": "dog"}, "label"),
        ({"total_seconds": "-1"}, "total_seconds"),
        ({"total_seconds": "1e300"}, "a duration of"),
        ({"cat_probability": "nan"}, "cat_probability"),
        ({"feature_brightness": "inf"}, "feature_brightness"),
        ({"model_name": "../../etc"}, "model_name"),
        ({"model_version": "1:2"}, "model_version"),
        ({"time": "1969-12-31T23:59:59Z"}, "time is before 1970"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time is before 1970"),
        ({"time": datetime.fromtimestamp(NOW + 301, UTC).isoformat()}, "time is more than 300 s"),
        ({"request_id": "x" * MAX_ENTRY_CHARACTERS}, "entry has"),
    ],
)
def test_an_entry_that_is_no_event_is_set_aside_with_the_reason(
    manifests: Manifests, changes: Mapping[str, str | None], reason: str
) -> None:
    batch = plan([damaged(**changes), entry(1)], manifests, KEYS)
    assert batch.counts[KEYS.pipeline] == {"dead": 1, "consumed": 1}
    [letter] = batch.dead
    assert letter.reason.startswith(reason)
    assert len(letter.content) <= 4096
    assert len(batch.entry_ids) == 2


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
def test_no_entry_whatever_is_in_it_stops_a_batch(fields: dict[str, str]) -> None:
    batch = plan([StreamEntry("1-0", fields)], Manifests(models_dir=None), KEYS)  # type: ignore[arg-type]
    assert batch.counts[KEYS.pipeline] == {"dead": 1}
    json.dumps(batch.dead[0].content)


def test_batches_cut_anywhere_and_in_any_order_add_up_to_the_same(manifests: Manifests) -> None:
    rng = random.Random(5)
    entries = [
        entry(n, cat_probability=rng.random(), total_seconds=rng.random(), time=EVENT.time + timedelta(seconds=n))
        for n in range(200)
    ]
    whole = plan(entries, manifests, KEYS)
    rng.shuffle(entries)
    parts = [plan(entries[start : start + 30], manifests, KEYS) for start in range(0, 200, 30)]
    for key, counts in whole.counts.items():
        assert counts == sum((part.counts.get(key, type(counts)()) for part in parts), type(counts)())


def test_a_shadows_prediction_is_compared_and_not_counted(manifests: Manifests) -> None:
    served = ServedPrediction(event(1).prediction_id, "catnet-mlp", "1", "cat", 0.75)
    shadows = [
        entry(number, model_name="catnet", label=label, shadow_of=served)
        for number, label in enumerate(("cat", "cat", "non-cat"), 2)
    ]
    batch = plan([entry(1), *shadows, shadows[0]], manifests, KEYS)
    assert batch.counts[KEYS.pipeline] == {"consumed": 1, "shadow": 3, "duplicates": 1}
    total = batch.counts[KEYS.total(MODEL)]
    assert (total["events"], total["label:cat"], total["shadow_events"]) == (1, 1, 3)
    assert (total["shadow:catnet/1:true"], total["shadow:catnet/1:false"]) == (2, 1)
    assert batch.counts[KEYS.models] == {MODEL: 1}
    remembered = {identity: text for texts in batch.remember.values() for identity, text in texts.items()}
    assert [identity for identity, text in remembered.items() if text] == [event(1).prediction_id]


def test_a_shadow_of_a_model_whose_name_cannot_be_is_set_aside(manifests: Manifests) -> None:
    served = ServedPrediction(event(1).prediction_id, "../..", "1", "cat", 0.75)
    assert plan([entry(2, shadow_of=served)], manifests, KEYS).counts[KEYS.pipeline] == {"dead": 1}
