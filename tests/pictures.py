"""The pictures that the tests send, all of them drawn here: photos, and the kinds of broken and hostile file."""

from __future__ import annotations

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw

BOMB_SIDE = 20_000


def drawn_cat(width: int = 640, height: int = 480, *, seed: int = 0) -> Image.Image:
    """A cat's head, its place and colours by the seed, on a gradient under fine noise as a camera's."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, height)[:, None, None]
    first, second, fur, eyes = rng.integers(40, 220, (4, 3))
    background = first * (1 - ramp) + second * ramp + rng.normal(0, 5, (height, width, 3))
    picture = Image.fromarray(np.clip(background, 0, 255).astype(np.uint8))

    draw = ImageDraw.Draw(picture)
    radius = 0.3 * min(width, height)
    x, y = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.5, 0.6)
    for side in (-1, 1):
        draw.polygon(
            [(x + side * radius, y), (x + side * radius, y - 1.6 * radius), (x, y - 0.8 * radius)], fill=tuple(fur)
        )
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=tuple(fur))
    for side in (-1, 1):
        eye, iris = x + side * 0.4 * radius, 0.15 * radius
        draw.ellipse([eye - iris, y - 2 * iris, eye + iris, y], fill=tuple(eyes))
    return picture


def encoded(picture: Image.Image, image_format: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, image_format)
    return buffer.getvalue()


@functools.cache
def photo(seed: int = 0) -> bytes:
    """A 640x480 JPEG."""
    return encoded(drawn_cat(seed=seed))


def truncated_photo() -> bytes:
    """The first half of a JPEG."""
    return photo()[: len(photo()) // 2]


def bomb_png() -> bytes:
    """A whole, valid PNG of 20,000 x 20,000 pixels in about 50 kilobytes: 400 million pixels once decoded."""
    return black_png(BOMB_SIDE)


@functools.cache
def black_png(side: int) -> bytes:
    """A whole, valid PNG of side x side black pixels, in few bytes. The side is a multiple of 8."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # one bit a pixel, grey
    rows = bytes(1 + side // 8) * side  # each row begins with its filter, 0
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
