"""What is done on the event loop is small by its bytes, by its header and by its model; all else is done in threads."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from inference import prediction_service
from inference.app import create_app
from inference.settings import InferenceSettings
from nnlib.model import Model
from nnlib.preprocessing import Photo
from PIL import Image

from services.inference.tests.conftest import encoded
from services.inference.tests.memory_stream import MemoryStream


def plain(width: int, height: int, image_format: str, mode: str = "RGB") -> bytes:
    """Of few bytes, however many pixels it has."""
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, image_format)
    return buffer.getvalue()


@pytest.fixture
def app(settings: InferenceSettings, stream: MemoryStream) -> FastAPI:
    return create_app(settings, stream=stream)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Where each of the two steps was done last: the name of its thread."""
    places: dict[str, str] = {}
    take_picture, predict = Photo.picture, Model.predict

    def noted_picture(photo: Photo, **options: object) -> object:
        places["decode"] = threading.current_thread().name
        return take_picture(photo, **options)  # type: ignore[arg-type]

    def noted_predict(model: Model, pixels: np.ndarray) -> object:  # type: ignore[type-arg]
        places["forward"] = threading.current_thread().name
        return predict(model, pixels)

    monkeypatch.setattr(Photo, "picture", noted_picture)
    monkeypatch.setattr(Model, "predict", noted_predict)
    return places


@pytest.fixture
def client(app: FastAPI, places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Of a service that has seen how long its model takes, which is nothing beside the bound set here."""
    monkeypatch.setattr(prediction_service, "QUICK_FORWARD_SECONDS", 60.0)
    with TestClient(app) as client:
        client.post("/predict", content=encoded(200, 200, "JPEG"))
        yield client


def in_a_thread(place: str) -> bool:
    return place.startswith("worker_")


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_a_small_image_is_decoded_and_predicted_on_the_loop(
    client: TestClient, places: dict[str, str], image_format: str
) -> None:
    assert client.post("/predict", content=plain(128, 128, image_format)).status_code == 200
    assert not in_a_thread(places["decode"])
    assert not in_a_thread(places["forward"])


@pytest.mark.parametrize(
    "image",
    [encoded(640, 480, "JPEG"), plain(129, 128, "JPEG"), plain(1500, 1500, "PNG"), plain(64, 64, "WEBP")],
    ids=["many bytes", "one pixel too many", "few bytes of many pixels", "another format"],
)
def test_any_other_is_decoded_in_a_thread(client: TestClient, places: dict[str, str], image: bytes) -> None:
    assert client.post("/predict", content=image).status_code == 200
    assert in_a_thread(places["decode"])
    assert not in_a_thread(places["forward"])


def test_all_of_a_slow_models_work_is_done_in_a_thread(
    client: TestClient, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_service, "QUICK_FORWARD_SECONDS", 0.0)
    assert client.post("/predict", content=plain(64, 64, "JPEG")).status_code == 200
    assert in_a_thread(places["decode"])
    assert in_a_thread(places["forward"])


def test_a_small_image_that_cannot_be_used_is_refused_as_any_other(client: TestClient) -> None:
    assert client.post("/predict", content=plain(64, 64, "JPEG")[:300]).status_code == 422
    assert client.post("/predict", content=plain(64, 64, "PNG")[:60]).status_code == 422
    assert client.post("/predict", content=plain(9000, 9000, "PNG", "1")).status_code == 422
    assert client.post("/predict", content=plain(64, 64, "JPEG")).status_code == 200
