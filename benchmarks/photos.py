"""The photos that the benchmarks send: drawn here, as detailed as real ones, so that decoding costs what it should."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter


def drawn_photo(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """Smooth shapes under fine noise: compresses to about the bytes a pixel of a camera's JPEG."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    shapes = coarse.resize((width, height), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    noise = rng.normal(0, 6, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(shapes, dtype=np.float32) + noise, 0, 255).astype(np.uint8))


def encoded(photo: Image.Image, image_format: str) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, image_format, **({"quality": 88} if image_format == "JPEG" else {}))
    return buffer.getvalue()
