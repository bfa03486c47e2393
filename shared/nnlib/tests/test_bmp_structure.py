"""A run-length coded BMP is read if its pixels and bytes are few enough for a decoder in Python."""

import struct
import time

import numpy as np
import pytest
from nnlib.bmp_structure import MAX_STEPS, is_laborious
from nnlib.errors import BrokenImage
from nnlib.preprocessing import preprocess

RLE8, RLE4 = 1, 2
END_OF_LINE = b"\0\0"


def bmp(width, height, content, *, compression=RLE8):
    bits = 4 if compression == RLE4 else 8
    palette = b"".join(bytes((tone, tone, tone, 0)) for tone in range(1 << bits))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(content), 0, 0, 1 << bits, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(content), 0, 0, start) + header + palette + content


@pytest.mark.parametrize(
    "data",
    [
        bmp(25_000_000, 2, bytes((1, 5)) + END_OF_LINE + bytes((1, 5)) + END_OF_LINE),
        bmp(1_000_000, -50, (END_OF_LINE + bytes((1, 5))) * 50),
        bmp(7000, 7000, (bytes((255, 0x12)) * 27 + bytes((115, 0x12)) + END_OF_LINE) * 7000, compression=RLE4),
        bmp(1000, 1000, bytes((1, 7)) * 3_000_000),
    ],
    ids=["two lines", "lines from the top", "runs of 4 bits", "runs of a pixel"],
)
def test_more_steps_than_there_is_time_for_are_refused_at_once(data):
    began = time.thread_time()
    with pytest.raises(BrokenImage, match="the BMP image is stored in too many parts"):
        preprocess(data)
    assert time.thread_time() - began < 1  # decoding takes 3 to 10 s


@pytest.mark.parametrize("compression", [RLE8, RLE4])
def test_a_screenshot_of_flat_areas_is_read(compression):
    line = bytes((240, 0x11)) * 4 + bytes((240, 0xEE)) * 4 + END_OF_LINE
    pixels = preprocess(bmp(1920, 1080, line * 1080, compression=compression)).pixels
    dark, bright = (0x11, 0xEE) if compression == RLE8 else (1, 14)
    np.testing.assert_array_equal(np.unique(pixels[:, :30]), dark)
    np.testing.assert_array_equal(np.unique(pixels[:, 34:]), bright)


def test_a_screenshot_of_two_megabytes_passes():
    assert not is_laborious(bmp(1920, 1080, bytes(1_950_000)))


def test_pixels_and_bytes_are_steps():
    size = len(bmp(1, 1, b""))
    assert not is_laborious(bmp(MAX_STEPS - 2 * size, 1, b""))
    assert is_laborious(bmp(MAX_STEPS - 2 * size + 1, 1, b""))
    assert is_laborious(bmp(MAX_STEPS - 2 * size, 1, b"\0"))


def test_only_run_length_codes_take_steps():
    assert not is_laborious(bmp(7000, 7000, b"", compression=0))
    assert not is_laborious(bmp(7000, 7000, b"")[:33])
