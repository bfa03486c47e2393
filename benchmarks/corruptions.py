"""What can happen to photos on their way: ten things, each at three severities, done to 64x64 pictures.

Severity 1 a person may miss; severity 3 nobody does. JPEG and blur act on the small picture, so they stand for heavier
ones on a photo.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter

Pixels = npt.NDArray[np.uint8]
SEVERITIES = (1, 2, 3)


def _dark(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance((0.8, 0.6, 0.35)[severity - 1])


def _bright(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance((1.2, 1.5, 2.0)[severity - 1])


def _blur(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur((0.5, 1.0, 2.0)[severity - 1]))


def _noise(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    values = np.asarray(picture, np.float32) + rng.normal(0, (5, 12, 30)[severity - 1], (64, 64, 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _grey(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Color(picture).enhance((0.7, 0.35, 0.0)[severity - 1])


def _jpeg(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=(50, 20, 5)[severity - 1])
    return Image.open(buffer).convert("RGB")


def _rotation(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    return picture.rotate((10, 30, 90)[severity - 1], Image.Resampling.BICUBIC)


def _crop(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    side = (54, 40, 24)[severity - 1]
    left, top = rng.integers(0, 64 - side + 1, 2)
    return picture.resize((64, 64), Image.Resampling.BICUBIC, (left, top, left + side, top + side))


def _colour_cast(picture: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    strength = (0.08, 0.2, 0.4)[severity - 1]
    values = np.asarray(picture, np.float32) * np.array([1 + strength, 1, 1 - strength], np.float32)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


CORRUPTIONS: Mapping[str, Callable[[Image.Image, int, np.random.Generator], Image.Image]] = {
    "dark": _dark,
    "bright": _bright,
    "blur": _blur,
    "noise": _noise,
    "grey": _grey,
    "low JPEG quality": _jpeg,
    "rotation": _rotation,
    "crop": _crop,
    "colour cast": _colour_cast,
}
"""The tenth, traffic of dogs alone, is a choice of pictures."""


def corrupted(pixels: Pixels, name: str, severity: int, rng: np.random.Generator) -> Pixels:
    """Shapes: pixels and result (samples, 64, 64, 3)."""
    change = CORRUPTIONS[name]
    return np.stack([np.asarray(change(Image.fromarray(picture), severity, rng)) for picture in pixels])
