"""A GIF with far more before its picture than any encoder writes is refused; long metadata is not."""

import time
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlib.errors import BrokenImage
from nnlib.gif_structure import MAX_STEPS, is_laborious
from nnlib.preprocessing import preprocess
from PIL import Image


def gif(before=b""):
    """Of 90x70 pixels, with something before its picture."""
    buffer = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (70, 90), dtype=np.uint8)
    Image.fromarray(pixels).quantize(256).save(buffer, "GIF")
    data = buffer.getvalue()
    behind_palette = 13 + 3 * 256
    return data[:behind_palette] + before + data[behind_palette:]


def sub_blocks(content):
    pieces = [content[start : start + 255] for start in range(0, len(content), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


@pytest.mark.parametrize(
    "before",
    [
        b"!\xfe\x01a\0" * 500_000,
        b"!\xfe" + b"\x01a" * 1_000_000 + b"\0",
        b"\x01" * 2_000_000,
        b"!\xf9\x04\0\0\0\0\0" * 500_000,
        b"!\x01\0," + bytes(45) + b"!\x01\x01a\0" * 500_000,
        b"!\xff\x0cNETSCAPE2.0!\0," + bytes(45) + b"!\x01\x01a\0" * 500_000,
    ],
    ids=["comments", "parts of a comment", "stray bytes", "controls", "unended", "unended loops"],
)
def test_millions_of_blocks_are_refused_at_once(before):
    data = gif(before)
    began = time.thread_time()
    with pytest.raises(BrokenImage, match="the GIF image is stored in too many parts"):
        preprocess(data)
    assert time.thread_time() - began < 1


def test_steps_are_counted():
    comments = MAX_STEPS // 3 - 2
    assert not is_laborious(gif(b"!\xfe\x01a\0" * comments))
    assert is_laborious(gif(b"!\xfe\x01a\0" * (comments + 3)))


@pytest.mark.parametrize(
    "before",
    [
        b"!\xfe" + sub_blocks(b"a" * 5_000_000),
        b"!\xff\x0bICCRGBG1012" + sub_blocks(bytes(range(256)) * 20_000),
        b"!\xff\x0bXMP DataXMP" + b"<x:xmpmeta> </x:xmpmeta>\n" * 100_000 + bytes(range(255, -1, -1)) + b"\0",
        b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0!\xf9\x04\0\0\0\0\0",
    ],
    ids=["comment", "colour profile", "xml", "loops"],
)
def test_long_metadata_passes(before):
    assert preprocess(gif(before)).width == 90


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_judged_without_an_error(tail):
    assert not is_laborious(b"GIF89a" + tail)
    assert not is_laborious(gif(tail))
