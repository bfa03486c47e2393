"""What POST /predict and GET /models answer."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from events.prediction import PredictionEvent
from fastapi.testclient import TestClient
from inference import event_publisher
from inference.app import create_app
from inference.event_stream import StreamUnavailable
from inference.settings import InferenceSettings
from nnlib.artifact import load_model
from nnlib.picture_features import picture_features
from nnlib.preprocessing import preprocess

from services.inference.tests.conftest import MakeModel, encoded
from services.inference.tests.memory_stream import MemoryStream
from services.inference.tests.metrics import metric

PROBLEM = "application/problem+json"


def test_the_answer_has_the_contract_s_fields_and_the_model_s_probability(
    client: TestClient, photo: bytes, settings: InferenceSettings
) -> None:
    answer = client.post("/predict", content=photo, headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    timings = body.pop("timings_ms")
    assert uuid.UUID(body.pop("prediction_id")).version == 7

    model = load_model(settings.models_dir / "catnet-mlp" / "1")
    expected = model.predict(preprocess(photo).pixels[None])
    cat_probability = round(float(expected.cat_probability[0]), 6)
    assert body == {
        "label": "cat" if cat_probability >= 0.5 else "non-cat",
        "confidence": round(max(cat_probability, 1 - cat_probability), 6),
        "cat_probability": cat_probability,
        "certain": bool(expected.certain[0]),
        "model": {"name": "catnet-mlp", "version": "1"},
        "image": {"format": "JPEG", "width": 320, "height": 240},
    }
    assert set(timings) == {"decode", "forward", "total"}
    assert 0 < timings["decode"] + timings["forward"] < timings["total"]


def test_the_event_says_what_the_answer_says(client: TestClient, photo: bytes, stream: MemoryStream) -> None:
    trace_id = "a" * 32
    headers = {"X-Request-ID": "abc-1", "traceparent": f"00-{trace_id}-{'b' * 16}-01"}
    body = client.post("/predict", content=photo, headers=headers).json()
    (event,) = stream.events
    assert PredictionEvent.from_fields(event.to_fields())  # what the monitor reads is valid
    assert (event.prediction_id, event.label, event.certain) == (body["prediction_id"], body["label"], body["certain"])
    assert event.cat_probability == body["cat_probability"]
    assert event.total_seconds * 1000 == pytest.approx(body["timings_ms"]["total"], abs=0.001)
    assert (event.image_format, event.image_width, event.image_height) == ("JPEG", 320, 240)
    assert event.image_bytes == len(photo)
    assert (event.request_id, event.traceparent[3:35]) == ("abc-1", trace_id)
    pixels = preprocess(photo).pixels
    assert {name: event.features[name] for name in picture_features(pixels)} == picture_features(pixels)
    assert set(event.features) - set(picture_features(pixels)) == {"hidden_norm"}


def test_the_hidden_norm_is_the_length_of_the_last_hidden_layer(
    client: TestClient, photo: bytes, stream: MemoryStream, settings: InferenceSettings
) -> None:
    client.post("/predict", content=photo)
    hidden = load_model(settings.models_dir / "catnet-mlp" / "1").predict(preprocess(photo).pixels[None]).hidden
    assert stream.events[0].features["hidden_norm"] == pytest.approx(float(np.sqrt((hidden**2).sum())))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_formats_are_known_by_content_under_any_content_type(client: TestClient, image_format: str) -> None:
    image = encoded(70, 80, image_format)
    answer = client.post("/predict", content=image, headers={"Content-Type": "text/plain"})
    assert answer.json()["image"] == {"format": image_format, "width": 70, "height": 80}


@pytest.mark.parametrize(
    ("status", "reason", "body"),
    [
        (415, "unsupported_format", b"I am a cat, believe me."),
        (422, "broken", encoded(320, 240, "JPEG")[:2000]),
        (422, "too_many_pixels", encoded(300, 300, "PNG")),
    ],
)
def test_an_unusable_image_is_refused_by_its_content_and_counted(
    settings: InferenceSettings, stream: MemoryStream, status: int, reason: str, body: bytes
) -> None:
    settings = settings.model_copy(update={"max_image_pixels": 80_000})
    with TestClient(create_app(settings, stream=stream)) as client:
        sample = f'catnet_images_rejected_total{{reason="{reason}"}}'
        assert metric(client, sample) == 0
        answer = client.post("/predict", content=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
        assert answer.json()["status"] == status
        assert metric(client, sample) == 1
    assert stream.events == []


def test_an_empty_body_is_a_400(client: TestClient) -> None:
    answer = client.post("/predict", content=b"")
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)


def chunks(size: int, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(size)


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 415), ("br, gzip", 415), ("identity", 200), ("Identity", 200)]
)
def test_a_body_with_a_content_encoding_is_a_415(
    client: TestClient, photo: bytes, path: str, encoding: str, status: int
) -> None:
    answer = client.post(path, content=photo, headers={"Content-Encoding": encoding})
    assert answer.status_code == status
    if status == 415:
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["detail"] == "The Content-Encoding of a body here must be identity."


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_a_413_declared_or_not(
    settings: InferenceSettings, stream: MemoryStream, declared: bool
) -> None:
    settings = settings.model_copy(update={"max_upload_bytes": 5000})
    with TestClient(create_app(settings, stream=stream)) as client:
        answer = client.post("/predict", content=bytes(6000) if declared else chunks(1000, 6))
        assert ("content-length" in answer.request.headers) is declared
        assert answer.status_code == 413
        assert client.post("/predict", content=chunks(1000, 5)).status_code == 415  # just fits, but is no image


def test_a_model_is_chosen_by_name(settings: InferenceSettings, stream: MemoryStream, make_model: MakeModel) -> None:
    make_model("other", "2")
    with TestClient(create_app(settings, stream=stream)) as client:
        image = encoded(64, 64, "PNG")
        assert client.post("/predict", content=image).json()["model"] == {"name": "catnet-mlp", "version": "1"}
        assert client.post("/predict?model=other", content=image).json()["model"] == {"name": "other", "version": "2"}
        answer = client.post("/predict?model=third", content=image)
        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)


def test_models_are_listed_from_their_manifests(
    settings: InferenceSettings, stream: MemoryStream, make_model: MakeModel
) -> None:
    make_model("other", "2")
    with TestClient(create_app(settings, stream=stream)) as client:
        models: list[dict[str, Any]] = client.get("/models").json()["models"]
    assert {model["name"]: model["default"] for model in models} == {"catnet-mlp": True, "other": False}
    sha256 = load_model(settings.models_dir / "other" / "2").manifest.sha256
    assert models[1] == {
        "name": "other",
        "version": "2",
        "default": False,
        "classes": ["non-cat", "cat"],
        "metrics": {"test": {"images": 50, "accuracy": 0.8}},
        "conformal": {"coverage": 0.9},
        "reference": {"images": 2000},
        "created": "2026-01-01T00:00:00Z",
        "sha256": sha256,
    }


@pytest.mark.parametrize(("deadline", "status"), [("0", 504), ("soon", 400), ("-1", 400), ("60000", 200)])
def test_the_caller_s_deadline_is_kept(client: TestClient, photo: bytes, deadline: str, status: int) -> None:
    answer = client.post("/predict", content=photo, headers={"X-Deadline-Ms": deadline})
    assert answer.status_code == status


def test_the_setting_bounds_the_caller_s_deadline(
    settings: InferenceSettings, stream: MemoryStream, photo: bytes
) -> None:
    settings = settings.model_copy(update={"request_timeout_seconds": 1e-6})
    with TestClient(create_app(settings, stream=stream)) as client:
        answer = client.post("/predict", content=photo, headers={"X-Deadline-Ms": "60000"})
        assert (answer.status_code, answer.headers["content-type"]) == (504, PROBLEM)


def test_predictions_are_answered_while_the_stream_is_away(
    client: TestClient, photo: bytes, stream: MemoryStream
) -> None:
    stream.fault = StreamUnavailable("away")
    for _ in range(5):
        assert client.post("/predict", content=photo).status_code == 200
    assert metric(client, "catnet_event_buffer_size") == 5
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["failing"]) == (
        200,
        {"redis": "StreamUnavailable", "events": "StreamUnavailable"},
    )
    stream.fault = None


def test_predictions_side_by_side_are_not_mixed(client: TestClient, stream: MemoryStream) -> None:
    sizes = [(40 + number, 90 - number) for number in range(40)]

    async def all_at_once() -> list[dict[str, Any]]:
        answers = await asyncio.gather(
            *(asyncio.to_thread(client.post, "/predict", content=encoded(*size, "PNG")) for size in sizes)
        )
        return [answer.json() for answer in answers]

    bodies = asyncio.run(all_at_once())
    assert [(body["image"]["width"], body["image"]["height"]) for body in bodies] == sizes
    by_id = {event.prediction_id: event for event in stream.events}
    for body, size in zip(bodies, sizes, strict=True):
        event = by_id[body["prediction_id"]]
        assert (event.image_width, event.image_height) == size
        assert event.cat_probability == body["cat_probability"]


def test_every_metric_is_shown_before_the_first_request(client: TestClient) -> None:
    for stage in ("decode", "features", "forward"):
        assert metric(client, f'catnet_inference_stage_duration_seconds_count{{stage="{stage}"}}') == 0
    for reason in ("buffer_full", "refused", "shutdown"):
        assert metric(client, f'catnet_events_dropped_total{{reason="{reason}"}}') == 0
    assert metric(client, "catnet_events_published_total") == 0
    assert metric(client, "catnet_event_buffer_size") == 0
    assert re.search(r'^catnet_model_info{name="catnet-mlp",sha256="[0-9a-f]{64}",version="1"} 1.0$',
                     client.get("/metrics").text, re.MULTILINE)  # fmt: skip


def test_stages_and_events_are_counted(client: TestClient, photo: bytes) -> None:
    for _ in range(3):
        client.post("/predict", content=photo)
    assert metric(client, 'catnet_inference_stage_duration_seconds_count{stage="forward"}') == 3
    assert metric(client, "catnet_events_published_total") == 3


def test_leaving_flushes_and_closes_the_stream(settings: InferenceSettings, stream: MemoryStream, photo: bytes) -> None:
    with TestClient(create_app(settings, stream=stream)) as client:
        client.post("/predict", content=photo)
    assert stream.closed
    assert stream.counters[-1].published == 1


def test_time_that_requests_did_not_need_is_the_events_that_are_kept_back(
    settings: InferenceSettings, stream: MemoryStream, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_publisher, "MAX_BATCH", 1)
    monkeypatch.setattr(event_publisher, "LONGEST_BACKOFF_SECONDS", 0.05)
    stream.fault = StreamUnavailable("away")
    settings = settings.model_copy(update={"event_flush_seconds": 0.4})
    with TestClient(app := create_app(settings, stream=stream)) as client:
        for _ in range(20):
            client.post("/predict", content=photo)
        stream.fault, stream.append_seconds = None, 0.04
        client.portal.call(app.state.health.draining.set)  # as SIGTERM does
    assert len(stream.events) == 20
