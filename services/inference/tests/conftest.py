"""A small model made with nnlib, pictures drawn here, and a stream in memory that can fail and stall."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from events.accounting import PublisherCounters
from events.prediction import PredictionEvent
from fastapi.testclient import TestClient
from inference.app import create_app
from inference.event_stream import StreamUnavailable
from inference.settings import InferenceSettings
from nnlib.artifact import save_model
from nnlib.network import build_network
from PIL import Image

MakeModel = Callable[..., Path]


class MemoryStream:
    """An event stream in memory. ``fault`` is raised by every append while it is set; while ``running`` is not set,
    appends stand still, as those to a stopped Redis do, and fail after ``stall_seconds``."""

    def __init__(self) -> None:
        self.events: list[PredictionEvent] = []
        self.counters: list[PublisherCounters] = []
        self.batches: list[int] = []
        self.fault: Exception | None = None
        self.refuses: Callable[[PredictionEvent], bool] = lambda event: False
        self.poison: Callable[[PredictionEvent], bool] = lambda event: False
        self.loses_reply = False
        self.running = asyncio.Event()
        self.running.set()
        self.stall_seconds = 60.0
        self.closed = False

    async def append(self, events: Sequence[PredictionEvent], counters: PublisherCounters) -> int:
        try:
            async with asyncio.timeout(self.stall_seconds):
                await self.running.wait()
        except TimeoutError:
            raise StreamUnavailable("stalled") from None
        await asyncio.sleep(0)  # a round trip: others run meanwhile
        if self.fault is not None:
            raise self.fault
        if any(map(self.poison, events)):
            raise ValueError("cannot be packed")
        accepted = [event for event in events if not self.refuses(event)]
        self.events += accepted
        self.counters.append(counters)
        self.batches.append(len(events))
        if self.loses_reply:
            self.loses_reply = False
            raise StreamUnavailable("reply lost")
        return len(events) - len(accepted)

    async def ping(self) -> None:
        if self.fault is not None:
            raise self.fault

    async def close(self) -> None:
        self.closed = True


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

    def make(name: str = "catnet-mlp", version: str = "1", *, folder: str | None = None) -> Path:
        architecture = [
            {"type": "Flatten"},
            {"type": "Linear", "in_features": 64 * 64 * 3, "out_features": 4},
            {"type": "ReLU"},
            {"type": "Linear", "in_features": 4, "out_features": 1},
        ]
        network = build_network(architecture, rng=np.random.default_rng(0))
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
