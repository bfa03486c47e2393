"""A shadow repeats predictions for comparison; whatever becomes of it, requests do not notice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from events.prediction import PredictionEvent
from fastapi.testclient import TestClient
from inference import shadow
from inference.app import create_app
from inference.event_stream import StreamUnavailable
from inference.settings import InferenceSettings
from nnlib.artifact import load_model
from nnlib.model import Model
from nnlib.preprocessing import preprocess

from services.inference.tests.conftest import MakeModel, encoded
from services.inference.tests.memory_stream import MemoryStream
from services.inference.tests.metrics import metric


@pytest.fixture
def shadowed(settings: InferenceSettings, make_model: MakeModel) -> InferenceSettings:
    make_model("next", "2", seed=1)
    return settings.model_copy(update={"shadow_model": "next"})


@pytest.fixture
def client(shadowed: InferenceSettings, stream: MemoryStream) -> Iterator[TestClient]:
    with TestClient(create_app(shadowed, stream=stream)) as client:
        yield client


def shadows(stream: MemoryStream) -> list[PredictionEvent]:
    return [event for event in stream.events if event.shadow_of is not None]


def wait_until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_shadow_s_event_names_the_prediction_that_it_repeats_and_what_was_answered(
    client: TestClient, stream: MemoryStream, photo: bytes, shadowed: InferenceSettings
) -> None:
    answer = client.post("/predict", content=photo, headers={"X-Request-ID": "abc-1"}).json()
    assert answer["model"] == {"name": "catnet-mlp", "version": "1"}
    wait_until(lambda: len(stream.events) == 2)
    served, repeated = stream.events
    assert served.shadow_of is None
    assert repeated.shadow_of is not None
    assert repeated.shadow_of.prediction_id == served.prediction_id == answer["prediction_id"]
    assert repeated.shadow_of.model_name == "catnet-mlp"
    assert repeated.shadow_of.model_version == "1"
    assert repeated.shadow_of.label == served.label
    assert repeated.shadow_of.cat_probability == served.cat_probability
    assert repeated.prediction_id != served.prediction_id
    assert (repeated.model_name, repeated.model_version, repeated.request_id) == ("next", "2", "abc-1")
    expected = load_model(shadowed.models_dir / "next" / "2").predict(preprocess(photo).pixels[None])
    assert repeated.cat_probability == round(float(expected.cat_probability[0]), 6) != served.cat_probability
    assert repeated.features["brightness"] == served.features["brightness"]
    assert repeated.features["hidden_norm"] != served.features["hidden_norm"]
    assert PredictionEvent.from_fields(repeated.to_fields()).shadow_of == repeated.shadow_of


def test_shadows_are_counted_apart_and_the_counters_balance(
    client: TestClient, stream: MemoryStream, photo: bytes
) -> None:
    for _ in range(5):
        client.post("/predict", content=photo)
    wait_until(lambda: len(stream.events) == 10)
    wait_until(lambda: stream.counters[-1].published == 10)
    counters = stream.counters[-1]
    assert (counters.answered, counters.shadow) == (5, 5)
    assert counters.answered + counters.shadow == counters.published + counters.buffered + sum(
        counters.dropped.values()
    )
    assert metric(client, "catnet_shadow_predictions_total") == 5


def test_the_share_is_kept(shadowed: InferenceSettings, stream: MemoryStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", iter([0.1, 0.3, 0.29, 0.9, 0.0]).__next__)
    settings = shadowed.model_copy(update={"shadow_share": 0.3})
    with TestClient(create_app(settings, stream=stream)) as client:
        answers = [client.post("/predict", content=encoded(64, 64, "PNG")).json() for _ in range(5)]
        wait_until(lambda: len(stream.events) == 8)
    repeated = {event.shadow_of.prediction_id for event in shadows(stream) if event.shadow_of}
    assert repeated == {answers[i]["prediction_id"] for i in (0, 2, 4)}


def test_without_a_shadow_model_nothing_is_repeated(
    settings: InferenceSettings, stream: MemoryStream, photo: bytes
) -> None:
    with TestClient(create_app(settings, stream=stream)) as client:
        client.post("/predict", content=photo)
        assert metric(client, "catnet_shadow_predictions_total") == 0
        for reason in shadow.DROP_REASONS:
            assert metric(client, f'catnet_shadow_dropped_total{{reason="{reason}"}}') == 0
    assert not shadows(stream)


def test_a_shadow_that_fails_is_counted_and_the_next_prediction_is_repeated_again(
    client: TestClient, stream: MemoryStream, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = Model.predict

    def fail_for_the_shadow(model: Model, pixels: object) -> object:
        if model.manifest.name == "next":
            raise MemoryError
        return predict(model, pixels)

    with monkeypatch.context() as patched:
        patched.setattr(Model, "predict", fail_for_the_shadow)
        assert client.post("/predict", content=photo).status_code == 200
        wait_until(lambda: metric(client, 'catnet_shadow_dropped_total{reason="failed"}') == 1)
    client.post("/predict", content=photo)
    wait_until(lambda: len(shadows(stream)) == 1)


def test_of_a_batch_that_fails_half_way_none_is_counted_twice(
    client: TestClient, stream: MemoryStream, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict, begun, release = Model.predict, threading.Event(), threading.Event()

    def stall_for_the_shadow(model: Model, pixels: object) -> object:
        if model.manifest.name == "next":
            begun.set()
            assert release.wait(10)
        return predict(model, pixels)

    make, made = shadow.shadow_event_of, iter(range(3))

    def fail_for_the_third(*arguments: Any) -> PredictionEvent:
        if next(made) == 2:
            raise ValueError
        return make(*arguments)

    monkeypatch.setattr(Model, "predict", stall_for_the_shadow)
    monkeypatch.setattr(shadow, "shadow_event_of", fail_for_the_third)
    client.post("/predict", content=photo)
    assert begun.wait(10)
    for _ in range(2):  # while the first one is in work: they are the next batch
        client.post("/predict", content=photo)
    release.set()
    wait_until(lambda: metric(client, 'catnet_shadow_dropped_total{reason="failed"}') == 2)
    assert metric(client, "catnet_shadow_predictions_total") == 1


def test_shadows_are_dropped_while_the_stream_is_away_and_answered_predictions_kept(
    client: TestClient, stream: MemoryStream, photo: bytes
) -> None:
    stream.fault = StreamUnavailable("away")
    for _ in range(3):
        assert client.post("/predict", content=photo).status_code == 200
    wait_until(lambda: metric(client, 'catnet_shadow_dropped_total{reason="stream_away"}') == 3)
    assert metric(client, "catnet_event_buffer_size") == 3
    stream.fault = None


def test_a_shadow_that_is_too_slow_drops_what_does_not_fit_its_queue(
    shadowed: InferenceSettings, stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "QUEUE_SIZE", 1)
    monkeypatch.setattr(shadow, "MAX_BATCH", 1)
    picture = encoded(64, 64, "PNG")
    with TestClient(create_app(shadowed, stream=stream)) as client:
        predict, release = Model.predict, threading.Event()

        def stall_for_the_shadow(model: Model, pixels: object) -> object:
            if model.manifest.name == "next":
                assert release.wait(10)
            return predict(model, pixels)

        monkeypatch.setattr(Model, "predict", stall_for_the_shadow)
        for _ in range(6):
            assert client.post("/predict", content=picture).status_code == 200
        # one in work, one in the queue; the first may still have been in the queue when the second came
        assert metric(client, 'catnet_shadow_dropped_total{reason="queue_full"}') in (4, 5)
        release.set()


def test_the_shadow_follows_a_reload(
    client: TestClient, stream: MemoryStream, make_model: MakeModel, photo: bytes
) -> None:
    make_model("next", "3", seed=2)
    client.post("/models/reload")
    client.post("/predict", content=photo)
    wait_until(lambda: len(shadows(stream)) == 1)
    assert shadows(stream)[0].model_version == "3"
