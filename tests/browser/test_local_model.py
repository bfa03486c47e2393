"""The model in the browser is the service's: the same picture from the same pixels, the same probability from that."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from nnlib.artifact import load_model, save_model
from nnlib.network import build_network
from PIL import Image
from redis_server import ROOT

from tests.pictures import drawn_cat

if TYPE_CHECKING:
    from playwright.sync_api import Page

TOLERANCE = 1e-4
SIZES = [
    (64, 64),
    (63, 65),
    (1, 1),
    (17, 33),
    (129, 128),
    (255, 300),
    (256, 256),
    (640, 480),
    (333, 999),
    (1001, 777),
    (100, 140),
    (130, 255),
]
MODELS = sorted(path.parent for path in (ROOT / "models").glob("*/*/manifest.json"))
BYTES = "const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));"
PREDICT = f"""async ([manifest, weights, pictures]) => {{
    {BYTES}
    const {{ Model }} = await import("/static/network/model.js");
    const model = new Model(JSON.parse(manifest), bytes(weights).buffer);
    return pictures.map((pixels) => model.predict(bytes(pixels)));
}}"""
RESIZE = f"""async ([width, height, values]) => {{
    {BYTES}
    const {{ centredSquare }} = await import("/static/network/resample.js");
    return [...centredSquare({{ width, height, stride: 3, values: bytes(values) }}, 64)];
}}"""
Pixels = npt.NDArray[np.uint8]


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def pictures() -> Pixels:
    """Of all kinds: cats, noise, and one colour."""
    rng = np.random.default_rng(0)
    drawn = [np.asarray(drawn_cat(64, 64, seed=seed)) for seed in range(6)]
    noise = list(rng.integers(0, 256, (4, 64, 64, 3), dtype=np.uint8))
    plain = [np.full((64, 64, 3), value, np.uint8) for value in (0, 128, 255)]
    return np.stack([*drawn, *noise, *plain])


def predicted_in_browser(page: Page, folder: Path, pixels: Pixels) -> list[dict[str, Any]]:
    manifest, weights = (folder / "manifest.json").read_text(), (folder / "model.safetensors").read_bytes()
    answers: list[dict[str, Any]] = page.evaluate(
        PREDICT, [manifest, text(weights), [text(picture.tobytes()) for picture in pixels]]
    )
    return answers


def assert_equal_answers(page: Page, folder: Path) -> None:
    page.goto("/")
    pixels = pictures()
    expected = load_model(folder).predict(pixels)
    answers = predicted_in_browser(page, folder, pixels)
    difference = np.abs(expected.cat_probability - [answer["cat_probability"] for answer in answers])
    assert difference.max() < TOLERANCE
    assert [answer["certain"] for answer in answers] == expected.certain.tolist()


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: "/".join(folder.parts[-2:]))
def test_every_model_of_the_repository_says_the_same_as_nnlib(page: Page, folder: Path) -> None:
    assert_equal_answers(page, folder)


def test_a_network_of_every_kind_of_layer_says_the_same_as_nnlib(page: Page, tmp_path: Path) -> None:
    architecture: list[dict[str, Any]] = [
        {"type": "Conv2D", "in_channels": 3, "out_channels": 7, "kernel": 5, "stride": 2, "padding": 1},
        {"type": "BatchNorm", "channels": 7},
        {"type": "SiLU"},
        {"type": "AveragePool2D", "size": 2},
        {
            "type": "Residual",
            "body": [
                {"type": "Conv2D", "in_channels": 7, "out_channels": 7, "kernel": 3, "padding": 1, "bias": False},
                {"type": "BatchNorm", "channels": 7},
                {"type": "Residual", "body": [{"type": "ReLU"}]},
            ],
        },
        {"type": "MaxPool2D", "size": 2},
        {"type": "Conv2D", "in_channels": 7, "out_channels": 5, "kernel": 2},
        {"type": "Flatten"},
        {"type": "Dropout", "dropout_rate": 0.5},
        {"type": "Linear", "in_features": 180, "out_features": 6},
        {"type": "ReLU"},
        {"type": "Linear", "in_features": 6, "out_features": 1},
    ]
    rng = np.random.default_rng(0)
    network = build_network(architecture, rng=rng)
    network.load(
        {
            name: (value + rng.uniform(0.1, 0.3, value.shape)).astype(np.float32)
            for name, value in (network.parameters() | network.state()).items()
        }
    )
    description = {
        "name": "made-up",
        "version": "1",
        "created": "2026-01-01T00:00:00Z",
        "preprocessing": {
            "size": 64,
            "resample": "bicubic",
            "scale": 1 / 255,
            "mean": [0.4, 0.5, 0.6],
            "std": [0.2, 0.3, 0.4],
        },
        "classes": ["non-cat", "cat"],
        "temperature": 700.0,
        "conformal": {"coverage": 0.9, "threshold": 0.5},
        "confidence": {"bin_edges": [0.5, 1.0]},
    }
    save_model(tmp_path, network, description)
    probabilities = load_model(tmp_path).predict(pictures()).cat_probability
    assert np.ptp(probabilities) > 0.05, "the pictures are not told apart, so equality would say little"
    assert_equal_answers(page, tmp_path)


def picture_and_square(width: int, height: int) -> tuple[Pixels, Pixels]:
    """A picture of so many pixels, and its square as Pillow scales it."""
    rng = np.random.default_rng(width)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    photo = np.clip(smooth + rng.integers(-40, 40, smooth.shape), 0, 255).astype(np.uint8)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    expected = Image.fromarray(photo).resize(
        (64, 64), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side), reducing_gap=2.0
    )
    return photo, np.asarray(expected)


def test_the_square_is_scaled_as_pillow_scales_it(page: Page) -> None:
    page.goto("/")
    for width, height in SIZES:
        photo, expected = picture_and_square(width, height)
        pixels = page.evaluate(RESIZE, [width, height, text(photo.tobytes())])
        assert np.array_equal(np.reshape(pixels, (64, 64, 3)), expected), f"{width} × {height}"
