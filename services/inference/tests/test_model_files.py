"""The files of served models are given away, and nothing else of the disk."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from services.inference.tests.conftest import MakeModel

FOLDER = "/models/catnet-mlp/1"


def get_as_written(client: TestClient, address: str) -> httpx.Response:
    """Without the client tidying the address up first."""
    request = client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=address.encode())
    return client.send(request)


def test_the_weights_are_those_that_answer(client: TestClient, models_dir: Path) -> None:
    weights = (models_dir / "catnet-mlp/1/model.safetensors").read_bytes()
    answer = client.get(f"{FOLDER}/model.safetensors")
    assert answer.content == weights
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["etag"] == f'"{hashlib.sha256(weights).hexdigest()}"'
    assert client.get("/models").json()["models"][0]["sha256"] in answer.headers["etag"]


def test_a_file_asked_for_by_its_hash_may_be_kept_for_ever(client: TestClient) -> None:
    sha256 = client.get(f"{FOLDER}/manifest.json").json()["sha256"]
    answer = client.get(f"{FOLDER}/model.safetensors", params={"sha256": sha256})
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert client.get(f"{FOLDER}/model.safetensors", params={"sha256": "0" * 64}).status_code == 404


def test_weights_that_were_exchanged_on_disk_are_not_given_away_as_those_that_answer(
    client: TestClient, make_model: MakeModel
) -> None:
    make_model(seed=1)
    assert client.get(f"{FOLDER}/model.safetensors").status_code == 404
    assert client.post("/models/reload").status_code == 200
    assert client.get(f"{FOLDER}/model.safetensors").status_code == 200


def test_a_file_that_is_never_read_to_its_end_is_given_up_at_the_deadline(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable = threading.Event()
    monkeypatch.setattr("inference.model_files._read", lambda path: (str(readable.wait(10)).encode(), ""))
    assert client.get(f"{FOLDER}/README.md", headers={"X-Deadline-Ms": "20"}).status_code == 504
    readable.set()
    assert client.get(f"{FOLDER}/README.md").text == "True"


@pytest.mark.parametrize(
    ("file", "media_type"),
    [
        ("README.md", "text/markdown; charset=utf-8"),
        ("history.csv", "text/csv; charset=utf-8"),
        ("reliability.png", "image/png"),
    ],
)
def test_what_else_a_model_may_have_is_given_away_where_it_is_there(
    client: TestClient, models_dir: Path, file: str, media_type: str
) -> None:
    assert client.get(f"{FOLDER}/{file}").status_code == 404
    os.mkfifo(models_dir / "catnet-mlp/1" / file)  # would be read for ever
    assert client.get(f"{FOLDER}/{file}").status_code == 404
    (models_dir / "catnet-mlp/1" / file).unlink()
    (models_dir / "catnet-mlp/1" / file).write_bytes(b"content")
    answer = client.get(f"{FOLDER}/{file}")
    assert (answer.content, answer.headers["content-type"]) == (b"content", media_type)


@pytest.mark.parametrize(
    "address",
    [
        f"{FOLDER}/secret.txt",
        f"{FOLDER}/..%2f..%2f..%2fsecret.txt",
        "/models/catnet-mlp/..%2f1/manifest.json",
        "/models/catnet-mlp/../manifest.json",
        "/models/../models/catnet-mlp/1/secret.txt",
        "/models/%2e%2e/%2e%2e/manifest.json",
        "/models/catnet-mlp/./manifest.json",
        "/models/catnet-mlp/1/manifest.json%00",
        "/models/catnet-mlp/2/manifest.json",
        "/models/hidden/1/manifest.json",
        "/models/catnet-mlp//manifest.json",
    ],
)
def test_nothing_else_is_given_away(client: TestClient, models_dir: Path, address: str) -> None:
    for place in (models_dir / "catnet-mlp/1", models_dir / "catnet-mlp", models_dir, models_dir.parent):
        (place / "secret.txt").write_text("hidden words")
    for place in (models_dir / "catnet-mlp", models_dir, models_dir / "hidden/1"):  # none of them loaded
        place.mkdir(parents=True, exist_ok=True)
        (place / "manifest.json").write_text("hidden words")
    answer = get_as_written(client, address)
    assert answer.status_code == 404
    assert "hidden words" not in answer.text
    assert str(models_dir) not in answer.text
