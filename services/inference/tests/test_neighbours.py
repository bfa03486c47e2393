"""Requests side by side: each gets its own answer, and a bad one harms no other."""

from __future__ import annotations

import asyncio
import base64
import functools
import io
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inference import event_publisher, micro_batches, prediction_service
from inference.app import create_app
from inference.settings import InferenceSettings
from nnlib import preprocessing
from nnlib.artifact import load_model
from nnlib.preprocessing import preprocess
from PIL import Image

from services.inference.tests.conftest import MakeModel
from services.inference.tests.memory_stream import MemoryStream

ASKED_AS = ["predict", "infer", "truncated", "text", "another model", "late"]
requests = st.lists(st.tuples(st.sampled_from(ASKED_AS), st.integers(0, 15)), min_size=2, max_size=24)


def drawn(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@functools.cache
def picture(number: int) -> bytes:
    """One of sixteen pictures, each of another colour and size."""
    buffer = io.BytesIO()
    colour = (number * 16, 255 - number * 12, number * 7)
    Image.new("RGB", (40 + number, 90 - number), colour).save(buffer, "JPEG" if number % 2 else "PNG")
    return buffer.getvalue()


@pytest.fixture
def served(models_dir: Path, make_model: MakeModel) -> InferenceSettings:
    make_model()
    return InferenceSettings(models_dir=models_dir, default_model="catnet-mlp", worker_threads=3)


@given(asked=requests)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_request_gets_its_own_answer(served: InferenceSettings, asked: list[tuple[str, int]]) -> None:
    model = load_model(served.models_dir / "catnet-mlp" / "1")

    def expected(number: int) -> Any:
        probability = model.predict(preprocess(picture(number)).pixels[None]).cat_probability[0]
        return pytest.approx(float(probability), abs=1e-5)

    stream = MemoryStream()
    answers = asyncio.run(all_at_once(served, stream, asked))
    answered = 0
    for (kind, number), answer in zip(asked, answers, strict=True):
        match kind:
            case "predict":
                body = answer.json()
                assert body["cat_probability"] == expected(number)
                assert (body["image"]["width"], body["image"]["height"]) == (40 + number, 90 - number)
                (event,) = (event for event in stream.events if event.prediction_id == body["prediction_id"])
                assert event.cat_probability == body["cat_probability"]
                assert (event.image_width, event.request_id) == (40 + number, answer.request.headers["X-Request-ID"])
                answered += 1
            case "infer":
                (probability, label) = (output["data"] for output in answer.json()["outputs"])
                assert probability == [expected(number), expected((number + 1) % 16)]
                assert len(label) == 2
                answered += 2
            case "truncated":
                assert answer.status_code == 422
            case "text":
                assert answer.status_code == 415
            case "another model":
                assert answer.status_code == 404
            case _:
                assert answer.status_code == 504
    assert len(stream.events) == answered


async def all_at_once(
    served: InferenceSettings, stream: MemoryStream, asked: list[tuple[str, int]]
) -> list[httpx.Response]:
    app = create_app(served, stream=stream)
    async with app.router.lifespan_context(app), client_of(app) as client:

        async def ask(position: int, kind: str, number: int) -> httpx.Response:
            headers = {"X-Request-ID": f"request-{position}"}
            match kind:
                case "predict":
                    return await client.post("/predict", content=picture(number), headers=headers)
                case "infer":
                    data = [base64.b64encode(picture(one % 16)).decode() for one in (number, number + 1)]
                    tensor = {"name": "image", "datatype": "BYTES", "shape": [2], "data": data}
                    return await client.post("/v2/models/catnet-mlp/infer", json={"inputs": [tensor]})
                case "truncated":
                    return await client.post("/predict", content=picture(number)[:80])
                case "text":
                    return await client.post("/predict", content=b"a cat, honestly")
                case "another model":
                    return await client.post("/predict?model=dognet", content=picture(number))
                case _:
                    return await client.post("/predict", content=picture(number), headers={"X-Deadline-Ms": "0"})

        return await asyncio.gather(*(ask(position, *one) for position, one in enumerate(asked)))


@pytest.mark.anyio
async def test_predictions_made_one_after_the_other_share_an_append_and_one_alone_waits_for_none(
    served: InferenceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_service, "QUICK_FORWARD_SECONDS", 60.0)
    monkeypatch.setattr(micro_batches, "MAX_IMAGES", 1)
    monkeypatch.setattr(event_publisher, "GATHER_SECONDS", 60)  # cut to nearly all of the wait
    monkeypatch.setattr(event_publisher, "GATHER_SHARE", 0.9)
    stream = MemoryStream()
    app = create_app(served.model_copy(update={"event_wait_seconds": 1}), stream=stream)
    async with app.router.lifespan_context(app), client_of(app) as client:
        await client.post("/predict", content=picture(3))  # now the model is known to be quick
        stream.batches.clear()
        await asyncio.gather(*(client.post("/predict", content=picture(number)) for number in range(6)))
        assert max(stream.batches) >= 2
        began = time.monotonic()
        await client.post("/predict", content=picture(3))
        assert time.monotonic() - began < 0.6


@pytest.mark.anyio
async def test_huge_pictures_are_decoded_one_at_a_time_and_leave_threads_to_others(
    served: InferenceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocessing, "HUGE_PIXELS", 250_000)
    decode, in_work, may_end = preprocessing.Photo.picture, threading.Semaphore(0), threading.Event()
    turn = threading.Lock()

    def decode_huge_ones_slowly(photo: preprocessing.Photo) -> preprocessing.Picture:
        if not photo.is_huge:
            return decode(photo)
        assert turn.acquire(blocking=False)
        try:
            in_work.release()
            assert may_end.wait(10)
            return decode(photo)
        finally:
            turn.release()

    monkeypatch.setattr(preprocessing.Photo, "picture", decode_huge_ones_slowly)
    huge, large = drawn(600, 500), drawn(400, 500)
    app = create_app(served, stream=MemoryStream())
    async with app.router.lifespan_context(app), client_of(app) as client:
        asked = [asyncio.create_task(client.post("/predict", content=huge)) for _ in range(served.worker_threads + 2)]
        assert await asyncio.to_thread(in_work.acquire, timeout=10)
        assert (await client.post("/predict", content=large)).status_code == 200
        asked.pop(0).cancel()  # that nobody waits for it any more lets no other begin
        may_end.set()
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * len(asked)


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inference")
