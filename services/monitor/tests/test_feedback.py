"""What a person may say of a prediction, and what it changes in the counts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.aggregates import Counts, feedback_counts
from monitor.counted_prediction import CountedPrediction, hour_made
from monitor.feedback import BadFeedback, Feedback
from monitor.manifests import Manifest
from monitor.quality import judged_predictions

from services.monitor.tests.examples import NOW
from shared.events.tests.examples import event

ID = "01940000-0000-7000-8000-000000000000"
COUNTED = CountedPrediction.of(event(1, cat_probability=0.75))
DEFAULT = Manifest("catnet-mlp", "1")
labels = st.sampled_from(["cat", "non-cat"])


def test_a_body_names_a_prediction_and_a_label() -> None:
    body = json.dumps({"prediction_id": ID.upper(), "label": "non-cat"}).encode()
    assert Feedback.from_json(body) == Feedback(UUID(ID), "non-cat")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff",
        b"[" * 900,
        [],
        {},
        {"prediction_id": ID},
        {"label": "cat"},
        {"prediction_id": ID, "label": "dog"},
        {"prediction_id": ID, "label": ["cat"]},
        {"prediction_id": ID, "label": None},
        {"prediction_id": 7, "label": "cat"},
        {"prediction_id": None, "label": "cat"},
        {"prediction_id": "7", "label": "cat"},
        {"prediction_id": ID, "label": "cat", "more": 1},
    ],
)
def test_any_other_body_is_refused(content: Any) -> None:
    with pytest.raises(BadFeedback) as refused:
        Feedback.from_json(content if isinstance(content, bytes) else json.dumps(content).encode())
    assert refused.value.status == 400


def test_what_is_remembered_of_a_prediction_is_read_back() -> None:
    for known in (COUNTED, COUNTED.told("non-cat")):
        assert CountedPrediction.from_text(known.to_text()) == known


def test_an_id_that_says_when_it_was_made_is_remembered_in_that_hour() -> None:
    assert hour_made(ID, NOW) == 0x0194_0000_0000 // 3_600_000
    assert hour_made(str(UUID(int=5)), NOW) == int(NOW // 3600)


@given(st.lists(labels, min_size=1, max_size=6))
def test_only_the_last_word_on_a_prediction_counts(words: list[Any]) -> None:
    counts: Counts = Counter()
    known = COUNTED
    for word in words:
        if word != known.truth:
            counts.update(feedback_counts(known, word, DEFAULT))
            known = known.told(word)
    judged = judged_predictions(counts, 10)
    assert judged.count == 1
    assert judged.confusion["cat"][words[-1]] == 1
    assert judged.accuracy is not None
    assert judged.accuracy.value == (words[-1] == "cat")
    [(number, said)] = [(number, each) for number, each in enumerate(judged.calibration) if each]
    assert (number, said.count, said.confidence) == (5, 1, 0.75)


@given(st.lists(labels, min_size=1, max_size=6))
def test_the_counters_for_prometheus_never_fall(words: list[Any]) -> None:
    known = COUNTED
    for word in words:
        changes = feedback_counts(known, word, DEFAULT)
        assert [changes[f"feedback_taken:{agrees}"] for agrees in ("true", "false")] == [word == "cat", word != "cat"]
        known = known.told(word)
