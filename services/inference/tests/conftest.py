"""A small model made with nnlib, a picture drawn here, and an application over both."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from inference.app import create_app
from inference.settings import InferenceSettings
from nnlib.artifact import save_model
from nnlib.network import build_network
from PIL import Image

from services.inference.tests.memory_stream import MemoryStream

MakeModel = Callable[..., Path]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stream() -> MemoryStream:
    return MemoryStream()


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def make_model(models_dir: Path) -> MakeModel:
    """Write a model with random weights; returns its folder."""

    def make(
        name: str = "catnet-mlp",
        version: str = "1",
        *,
        folder: str | None = None,
        seed: int = 0,
        weight_scale: float = 1.0,
        **stated: object,
    ) -> Path:
        architecture = [
            {"type": "Flatten"},
            {"type": "Linear", "in_features": 64 * 64 * 3, "out_features": 4},
            {"type": "ReLU"},
            {"type": "Linear", "in_features": 4, "out_features": 1},
        ]
        network = build_network(architecture, rng=np.random.default_rng(seed))
        for layer in network.layers:
            layer.parameters = {key: value * weight_scale for key, value in layer.parameters.items()}
        target = models_dir / name / (folder or version)
        description = {
            "name": name,
            "version": version,
            "created": "2026-01-01T00:00:00Z",
            "preprocessing": {"size": 64, "resample": "bicubic", "scale": 1 / 255, "mean": [0, 0, 0], "std": [1, 1, 1]},
            "classes": ["non-cat", "cat"],
            "temperature": 1.0,
            "conformal": {"coverage": 0.9, "threshold": 0.7},
            "confidence": {"bin_edges": [0.5, 0.75, 1.0]},
            "metrics": {"test": {"images": 50, "accuracy": 0.8}},
            "reference": {"images": 2000, "sources": ["drawn"], "features": []},
            **stated,
        }
        save_model(target, network, description)
        return target

    return make


@pytest.fixture
def settings(models_dir: Path, make_model: MakeModel) -> InferenceSettings:
    make_model()
    return InferenceSettings(models_dir=models_dir, worker_threads=2)


@pytest.fixture
def client(settings: InferenceSettings, stream: MemoryStream) -> Iterator[TestClient]:
    with TestClient(create_app(settings, stream=stream)) as client:
        yield client


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A 320x240 JPEG."""
    return encoded(320, 240, "JPEG")


def encoded(width: int, height: int, image_format: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, image_format)
    return buffer.getvalue()
