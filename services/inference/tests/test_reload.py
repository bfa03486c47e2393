"""A reload replaces the models all at once or not at all, and no request notices."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from inference.app import create_app
from inference.hangup import on_hangup
from inference.settings import InferenceSettings
from nnlib.artifact import load_model
from nnlib.model import Model

from services.inference.tests.conftest import MakeModel, encoded
from services.inference.tests.memory_stream import MemoryStream
from services.inference.tests.metrics import metric

PROBLEM = "application/problem+json"
PICTURE = encoded(64, 64, "PNG")


def served(client: TestClient) -> list[str]:
    return [f"{model['name']}/{model['version']}" for model in client.get("/models").json()["models"]]


def test_a_reload_serves_what_is_in_the_folder_now(client: TestClient, make_model: MakeModel) -> None:
    make_model("catnet-mlp", "2", seed=1)
    assert served(client) == ["catnet-mlp/1"]
    answer = client.post("/models/reload")
    assert answer.status_code == 200
    assert [model["version"] for model in answer.json()["models"]] == ["1", "2"]
    assert client.post("/predict", content=PICTURE).json()["model"]["version"] == "2"
    assert metric(client, 'catnet_model_reloads_total{result="ok"}') == 1
    assert 'catnet_model_info{name="catnet-mlp",sha256=' in client.get("/metrics").text
    assert client.get("/metrics").text.count("catnet_model_info{") == 2


def test_a_model_that_is_taken_away_is_gone_after_the_next_reload(
    client: TestClient, make_model: MakeModel, models_dir: Path
) -> None:
    make_model("other", "1")
    client.post("/models/reload")
    shutil.rmtree(models_dir / "other")
    assert client.post("/predict?model=other", content=PICTURE).status_code == 200
    assert client.post("/models/reload").status_code == 200
    assert client.post("/predict?model=other", content=PICTURE).status_code == 404
    assert client.get("/metrics").text.count("catnet_model_info{") == 1


@pytest.mark.parametrize("fault", ["damaged", "wrong answer", "no default", "no folder", "unreadable manifest"])
def test_bad_models_are_refused_with_the_reason_and_the_old_ones_keep_serving(
    client: TestClient, make_model: MakeModel, models_dir: Path, fault: str
) -> None:
    before = client.post("/predict", content=PICTURE).json()
    match fault:
        case "damaged":
            (make_model("catnet-mlp", "2") / "model.safetensors").write_bytes(b"damaged")
            reason = "catnet-mlp/2/model.safetensors: SHA-256"
        case "wrong answer":
            make_model("catnet-mlp", "2", seed=1, golden={"cat_probability": 0.123})
            reason = "catnet-mlp/2: answers"
        case "no default":
            (models_dir / "catnet-mlp").rename(models_dir / "renamed")
            make_model("renamed")
            reason = "DEFAULT_MODEL='catnet-mlp' is not in"
        case "no folder":
            shutil.rmtree(models_dir)
            reason = "cannot be read"
        case _:
            (make_model("catnet-mlp", "2") / "manifest.json").write_text("[" * 100_000)
            reason = "catnet-mlp/2/manifest.json"
    answer = client.post("/models/reload")
    assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM)
    assert reason in answer.json()["detail"]
    assert str(models_dir.parent) not in answer.json()["detail"]
    assert served(client) == ["catnet-mlp/1"]
    after = client.post("/predict", content=PICTURE).json()
    assert (after["model"], after["cat_probability"]) == (before["model"], before["cat_probability"])
    assert metric(client, 'catnet_model_reloads_total{result="refused"}') == 1
    assert metric(client, 'catnet_model_reloads_total{result="ok"}') == 0


def test_an_error_that_nobody_foresaw_leaves_the_old_models_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("secret detail")

    monkeypatch.setattr("inference.model_registry.load_model", fail)
    answer = client.post("/models/reload")
    assert answer.status_code == 409
    assert "secret" not in answer.text
    assert client.post("/predict", content=PICTURE).status_code == 200


def test_files_that_are_never_read_to_their_end_are_given_up_and_read_when_they_can_be(
    client: TestClient, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable = threading.Event()

    def load_later(folder: Path) -> Model:
        readable.wait(10)
        return load_model(folder)

    monkeypatch.setattr("inference.model_registry.load_model", load_later)
    make_model("catnet-mlp", "2", seed=1)
    with monkeypatch.context() as soon:
        soon.setattr("inference.served_models.LONGEST_RELOAD_SECONDS", 0.05)
        for _ in range(2):
            answer = client.post("/models/reload")
            assert (answer.status_code, "could not be loaded within" in answer.json()["detail"]) == (409, True)
    assert client.post("/predict", content=PICTURE).json()["model"]["version"] == "1"
    assert metric(client, 'catnet_model_reloads_total{result="refused"}') == 2
    readable.set()
    assert client.post("/models/reload").status_code == 200
    assert served(client) == ["catnet-mlp/1", "catnet-mlp/2"]


def test_no_request_fails_while_models_are_replaced(
    settings: InferenceSettings, stream: MemoryStream, make_model: MakeModel, models_dir: Path
) -> None:
    """Requests from four threads, while the model is replaced by another ten times; each answer is one of the two."""
    make_model("catnet-mlp", "1", seed=1)
    with TestClient(create_app(settings, stream=stream)) as client:
        expected = {client.post("/predict", content=PICTURE).json()["cat_probability"]}
        make_model("catnet-mlp", "1", seed=2)
        client.post("/models/reload")
        expected.add(client.post("/predict", content=PICTURE).json()["cat_probability"])
        stop = threading.Event()
        answers: list[tuple[int, float]] = []

        def ask() -> None:
            while not stop.is_set():
                answer = client.post("/predict", content=PICTURE)
                answers.append((answer.status_code, answer.json().get("cat_probability")))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for reload in range(10):
            make_model("catnet-mlp", "1", seed=1 + reload % 2)
            assert client.post("/models/reload").status_code == 200
        stop.set()
        for thread in threads:
            thread.join()
    assert len(expected) == 2
    assert {status for status, _ in answers} == {200}
    assert {probability for _, probability in answers} == expected


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a signal has no event to wait for
            await asyncio.sleep(0.001)


def test_a_hangup_during_a_run_means_one_more_run() -> None:
    runs = 0

    async def main() -> None:
        go_on = asyncio.Event()

        async def action() -> None:
            nonlocal runs
            runs += 1
            await go_on.wait()

        async with on_hangup(action):
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: runs == 1)
            for _ in range(5):
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.sleep(0.002)
            go_on.set()
            await until(lambda: runs == 2)
            await asyncio.sleep(0.02)

    asyncio.run(main())
    assert runs == 2
