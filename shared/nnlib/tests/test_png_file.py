"""A PNG is decoded as Pillow decodes it, whatever it holds and however it is cut or damaged."""

import gc
import tracemalloc
import weakref
import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nnlib.png_file import AT_ONCE_BYTES, PngFile
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from shared.nnlib.tests.png_parts import chunk, png

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]


def noise(width, height, mode="RGB"):
    """Half of it noise, so that some of it can be compressed."""
    tones = np.random.default_rng(width * height).integers(0, 256, (height, width, 4), dtype=np.uint8)
    tones[:, width // 2 :] //= 64
    if mode == "I;16":
        return Image.fromarray(tones[..., 0].astype(np.uint16) * 257)
    return Image.fromarray(tones if mode == "RGBA" else tones[..., :3]).convert(mode)


def encode(image, **options):
    buffer = BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def lines(tones):
    return b"".join(b"\0" + bytes(line) for line in tones)


TONES = np.random.default_rng(1).integers(0, 256, (30, 40), dtype=np.uint8)
STREAM = zlib.compress(lines(TONES))
PHOTO = png(40, 30, STREAM, idat_bytes=100)


def pixels(kind, data):
    """None where it cannot be decoded."""
    try:
        image = kind(BytesIO(data))
        image.load()
    except Exception:
        return None
    return image.mode, image.size, image.info, np.asarray(image).tobytes()


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    mode=st.sampled_from(MODES),
    level=st.integers(0, 9),
)
@example(width=1200, height=900, mode="RGB", level=1)  # more than is inflated at once
@example(width=1200, height=900, mode="RGB", level=0)
@settings(max_examples=150, deadline=None)
def test_the_picture_is_pillows(width, height, mode, level):
    data = encode(noise(width, height, mode), compress_level=level)
    expected = pixels(PngImageFile, data)
    assert expected is not None
    assert pixels(PngFile, data) == expected


@given(st.integers(1, len(STREAM)))
@example(1)
@settings(max_examples=50, deadline=None)
def test_the_stream_may_be_cut_into_any_chunks(idat_bytes):
    data = png(40, 30, STREAM, idat_bytes=idat_bytes)
    assert pixels(PngFile, data)[-1] == TONES.tobytes()


def test_an_interlaced_picture_is_put_together():
    steps = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    passes = [lines(TONES[top::down, left::right]) for left, top, right, down in steps]
    data = png(40, 30, zlib.compress(b"".join(passes)), interlaced=True)
    assert pixels(PngFile, data)[-1] == TONES.tobytes()


def test_what_stands_after_the_picture_is_read():
    end = len(PHOTO) - 12
    turned = PHOTO[:end] + chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0") + PHOTO[end:]
    assert PngFile(BytesIO(turned)).getexif()[0x0112] == 6


@given(
    position=st.integers(8, len(PHOTO) - 1),
    damage=st.one_of(st.just(b""), st.binary(min_size=1, max_size=20)),
    is_cut=st.booleans(),
)
@example(position=PHOTO.index(STREAM[-4:]), damage=b"\0\0\0\0", is_cut=False)  # the stream's checksum
@example(position=PHOTO.index(b"IDAT") + 4, damage=b"\x79", is_cut=False)  # the stream's head
@settings(max_examples=1000, deadline=None)
def test_a_damaged_file_is_to_it_what_it_is_to_pillow(position, damage, is_cut):
    data = PHOTO[:position] + damage + (b"" if is_cut else PHOTO[position + len(damage) :])
    assert pixels(PngFile, data) == pixels(PngImageFile, data)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 100, len(STREAM) // 2])
def test_a_picture_that_lacks_lines_is_refused(length):
    with pytest.raises(OSError):
        PngFile(BytesIO(png(40, 30, STREAM[:length]))).load()


def test_of_a_stream_far_longer_than_the_picture_only_the_beginning_is_inflated():
    data = png(40, 30, zlib.compress(lines(TONES) + bytes(125 * 2**20)))
    tracemalloc.start()
    try:
        PngFile(BytesIO(data)).load()
        assert tracemalloc.get_traced_memory()[1] < 5 * AT_ONCE_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [PHOTO, PHOTO[:300]], ids=["whole", "cut"])
def test_a_picture_is_given_back_without_a_search_for_garbage(data):
    """At the rate of requests, pictures in cycles fill the memory before they are looked for."""
    gc.disable()
    try:
        image = PngFile(BytesIO(data))
        kept = weakref.ref(image)
        with suppress(OSError):
            image.load()
        del image
        assert kept() is None
    finally:
        gc.enable()
