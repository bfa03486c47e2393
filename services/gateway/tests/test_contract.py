"""The real inference behind the gateway: what the description says of its answers is what they are."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import httpx
import numpy as np
import pytest
from gateway.app import create_app
from gateway.documents import Explanation, HealthState, Method, Models, Prediction, Problem
from gateway.settings import GatewaySettings
from inference.app import create_app as create_inference
from inference.settings import InferenceSettings
from PIL import Image
from pydantic import BaseModel

from services.gateway.tests.running_gateway import running_app
from services.inference.tests.memory_stream import MemoryStream

pytestmark = pytest.mark.anyio

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture
def stream() -> MemoryStream:
    return MemoryStream()


@pytest.fixture
async def http(frontend_dir: Path, stream: MemoryStream) -> AsyncIterator[httpx.AsyncClient]:
    inference = create_inference(InferenceSettings(models_dir=MODELS, worker_threads=1), stream=stream)
    async with running_app(inference) as inference_url:
        settings = GatewaySettings.model_validate(
            {"inference_url": inference_url, "monitor_url": "http://127.0.0.1:9", "frontend_dir": frontend_dir}
        )
        async with running_app(create_app(settings)) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
            yield http


@pytest.fixture(scope="module")
def photo() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def assert_is(model: type[BaseModel], response: httpx.Response) -> None:
    """The body has the fields of the description, all of them and no other. Raises: ValidationError."""
    model.model_validate(response.json(), extra="forbid")


async def test_a_prediction_is_as_described_and_has_its_event(
    http: httpx.AsyncClient, stream: MemoryStream, photo: bytes
) -> None:
    response = await http.post(
        "/predict", files={"file": photo}, headers={"x-request-id": "mine"}, params={"model": "catnet-mlp"}
    )
    assert response.status_code == 200
    assert_is(Prediction, response)
    assert response.json()["image"] == {"format": "PNG", "width": 64, "height": 48}
    assert response.headers["x-request-id"] == "mine"
    assert [(event.prediction_id, event.request_id) for event in stream.events] == [
        (response.json()["prediction_id"], "mine")
    ]


@pytest.mark.parametrize("method", [None, *get_args(Method)])
async def test_an_explanation_is_as_described(
    http: httpx.AsyncClient, stream: MemoryStream, photo: bytes, method: str | None
) -> None:
    params = {"model": "catnet-mlp"} | ({"method": method} if method else {})
    response = await http.post("/explain", files={"file": photo}, params=params)
    assert response.status_code == 200
    assert_is(Explanation, response)
    answer = response.json()
    assert (len(answer["heatmap"]), {len(row) for row in answer["heatmap"]}) == (64, {64})
    assert answer["method"] == (method or "gradient")
    assert answer["heatmap_png"].startswith("data:image/png;base64,")
    assert len(stream.events) == 1


async def test_an_unknown_method_is_a_400(http: httpx.AsyncClient, photo: bytes) -> None:
    response = await http.post("/explain", files={"file": photo}, params={"method": "guess"})
    assert response.status_code == 400
    assert_is(Problem, response)
    assert response.json()["instance"] == "/explain"


async def test_the_models_are_as_described(http: httpx.AsyncClient) -> None:
    assert_is(Models, await http.get("/api/models"))


async def test_health_is_as_described(http: httpx.AsyncClient) -> None:
    response = await http.get("/health")
    assert_is(HealthState, response)
    assert response.json()["services"] == {"inference": "ok", "monitor": "away", "redis": "ok"}


@pytest.mark.parametrize(
    ("content", "model", "status"),
    [(b"I am a cat.", None, 415), (b"\x89PNG\r\n\x1a\n broken", None, 422), (None, "dognet", 404)],
    ids=["text", "broken", "unknown model"],
)
async def test_a_refusal_of_inference_is_a_problem_of_this_address(
    http: httpx.AsyncClient, photo: bytes, content: bytes | None, model: str | None, status: int
) -> None:
    response = await http.post("/predict", files={"file": content or photo}, params={"model": model} if model else {})
    assert response.status_code == status
    assert_is(Problem, response)
    assert response.json()["instance"] == "/predict"
