"""What POST /explain answers: the prediction, and which pixels made the model say so."""

from __future__ import annotations

import asyncio
import base64
import io
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from inference import explainer
from inference.app import create_app
from inference.settings import InferenceSettings
from nnlib.artifact import load_model
from nnlib.preprocessing import preprocess
from PIL import Image

from services.inference.tests.conftest import encoded
from services.inference.tests.memory_stream import MemoryStream

METHODS = ["gradient", "smoothgrad", "integrated_gradients", "occlusion"]
PICTURE = encoded(64, 64, "PNG")


def heatmap_of(client: TestClient, path: str = "/explain", image: bytes = PICTURE) -> np.ndarray[Any, Any]:
    answer = client.post(path, content=image)
    assert answer.status_code == 200, answer.text
    return np.array(answer.json()["heatmap"])


@pytest.mark.parametrize("method", METHODS)
def test_it_is_the_prediction_and_a_map_of_the_picture(client: TestClient, photo: bytes, method: str) -> None:
    predicted = client.post("/predict", content=photo).json()
    answer = client.post(f"/explain?method={method}", content=photo)
    assert answer.status_code == 200
    body = answer.json()
    for same in ("label", "confidence", "cat_probability", "certain", "model", "image"):
        assert body[same] == predicted[same]
    assert body["prediction_id"] != predicted["prediction_id"]
    assert body["method"] == method
    heatmap = np.array(body["heatmap"])
    assert heatmap.shape == (64, 64)
    assert np.abs(heatmap).max() == 1
    assert np.abs(heatmap).min() < 0.5


@pytest.mark.parametrize("method", METHODS)
def test_the_same_picture_has_the_same_explanation(client: TestClient, method: str) -> None:
    first, second = (heatmap_of(client, f"/explain?method={method}") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_gradient_is_the_default_and_methods_differ(client: TestClient) -> None:
    maps = [heatmap_of(client), *(heatmap_of(client, f"/explain?method={method}") for method in METHODS)]
    np.testing.assert_array_equal(maps[0], maps[1])
    assert len({heatmap.tobytes() for heatmap in maps}) == 4


def test_the_gradient_map_is_input_times_slope(client: TestClient, settings: InferenceSettings) -> None:
    """Against numbers: how far the logit moves when all channels of one pixel grow by a little of themselves."""
    model = load_model(settings.models_dir / "catnet-mlp" / "1")
    model.network.cast(np.float64)
    image = preprocess(PICTURE).pixels / 255

    def slope_along(row: int, column: int) -> float:
        step = np.zeros_like(image)
        step[row, column] = 1e-4 * image[row, column]
        forward: Callable[[Any], Any] = model.network.forward
        return float((forward((image + step)[None]) - forward((image - step)[None]))[0, 0] / 2e-4)

    heatmap = heatmap_of(client)
    strongest = np.unravel_index(np.abs(heatmap).argmax(), heatmap.shape)
    scale = slope_along(*map(int, strongest)) / heatmap[strongest]
    for row, column in [(0, 0), (20, 40), (63, 63), (31, 5)]:
        assert heatmap[row, column] == pytest.approx(slope_along(row, column) / scale, abs=1e-3)


def test_the_picture_is_red_for_a_cat_blue_against_one_and_clear_between(client: TestClient) -> None:
    body = client.post("/explain?method=occlusion", content=PICTURE).json()
    kind, _, data = body["heatmap_png"].partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (64, 64))
        pixels = np.asarray(image).astype(int)
    heatmap = np.array(body["heatmap"])
    red, blue = pixels[heatmap > 0.1], pixels[heatmap < -0.1]
    assert len(red)
    assert len(blue)
    assert (red[:, 0] > red[:, 2]).all()
    assert (blue[:, 2] > blue[:, 0]).all()
    np.testing.assert_allclose(pixels[..., 3], np.abs(heatmap) * pixels[..., 3].max(), atol=1)


def test_a_picture_of_one_colour_has_a_map_too(client: TestClient) -> None:
    black = io.BytesIO()
    Image.new("RGB", (64, 64)).save(black, "PNG")
    for method in METHODS:
        assert np.isfinite(heatmap_of(client, f"/explain?method={method}", black.getvalue())).all()


def test_explaining_leaves_the_model_as_it_was(client: TestClient) -> None:
    before = client.post("/predict", content=PICTURE).json()["cat_probability"]
    for method in METHODS:
        heatmap_of(client, f"/explain?method={method}")
    assert client.post("/predict", content=PICTURE).json()["cat_probability"] == before


def test_the_prediction_in_it_has_its_event_with_the_times_of_a_prediction(
    client: TestClient, stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = threading.Event()

    def explain_slowly(network: Any, image: Any) -> Any:
        slow.wait(0.3)
        return image

    monkeypatch.setattr(explainer, "METHODS", {"gradient": explain_slowly})
    body = client.post("/explain", content=PICTURE).json()
    (event,) = stream.events
    assert event.prediction_id == body["prediction_id"]
    assert event.total_seconds < 0.3


def test_an_unknown_method_is_a_400_and_an_unknown_model_a_404(client: TestClient, stream: MemoryStream) -> None:
    for path, status in (("/explain?method=astrology", 400), ("/explain?model=dognet", 404)):
        answer = client.post(path, content=PICTURE)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert "smoothgrad" in client.post("/explain?method=x", content=PICTURE).json()["detail"]
    assert stream.events == []


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"I am a cat", 415), (PICTURE[:100], 422)])
def test_a_bad_image_is_refused_as_by_predict(client: TestClient, body: bytes, status: int) -> None:
    assert client.post("/explain", content=body).status_code == status


def test_more_explanations_than_the_limit_are_refused_and_predictions_go_on(
    settings: InferenceSettings, stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"max_explanations": 1})
    begun, release = threading.Event(), threading.Event()

    def stall(network: Any, image: Any) -> Any:
        begun.set()
        assert release.wait(10)
        return image

    monkeypatch.setattr(explainer, "METHODS", {"gradient": stall})
    with TestClient(create_app(settings, stream=stream)) as client:

        async def scenario() -> int:
            first = asyncio.create_task(asyncio.to_thread(client.post, "/explain", content=PICTURE))
            assert await asyncio.to_thread(begun.wait, 10)
            refused = await asyncio.to_thread(client.post, "/explain", content=PICTURE)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            predicted = await asyncio.to_thread(client.post, "/predict", content=PICTURE)
            assert predicted.status_code == 200
            release.set()
            return (await first).status_code

        assert asyncio.run(scenario()) == 200


def test_the_deadline_holds_for_explanations(client: TestClient) -> None:
    assert client.post("/explain", content=PICTURE, headers={"X-Deadline-Ms": "0"}).status_code == 504
