"""A TIFF shows the tones that it stores, or is refused with the reason: none is taken for something else."""

import zlib
from io import BytesIO

import numpy as np
import pytest
from nnlib.errors import BrokenImage
from nnlib.preprocessing import preprocess
from PIL import Image

from shared.nnlib.tests.tiff_parts import CONTENT, SHORT, grey, strips, tiff

RAMP = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
DEFLATE, JPEG_2000, WEBP = 8, 34712, 50001


def picture(content, tags, **options):
    return tiff(tags + strips([CONTENT], [len(content)], rows=64), content, **options)


def with_values(tags, **changed):
    numbers = {"bits": 258, "photometric": 262, "samples": 277}
    values = {numbers[name]: value for name, value in changed.items()}
    return [(number, kind, values.get(number, old)) for number, kind, old in tags]


def tones(data):
    return preprocess(data).pixels[..., 0]


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_16_bit_grey_whose_zero_is_white_is_no_negative(compression):
    buffer = BytesIO()
    negative = Image.fromarray(0xFFFF - RAMP.astype(np.uint16) * 257)
    negative.save(buffer, "TIFF", compression=compression, tiffinfo={262: 0})
    data = bytearray(buffer.getvalue())
    entry = data.index(b"\x06\x01\x03\0\x01\0\0\0")
    data[entry + 8] = 0  # Pillow writes what it knows of the mode
    np.testing.assert_array_equal(tones(bytes(data)), RAMP)


@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_12_bit_grey_keeps_its_tones(compression):
    wide = RAMP.astype(np.uint16) << 4
    first, second = wide[:, ::2], wide[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8)
    content = packed.tobytes() if compression == 1 else zlib.compress(packed.tobytes())
    np.testing.assert_array_equal(tones(picture(content, grey(64, 64, bits=12, compression=compression))), RAMP)


@pytest.mark.parametrize(
    ("bits", "sample_format", "order"),
    [
        (8, 2, "<"),
        (16, 2, "<"),
        (16, 2, ">"),
        (32, 1, "<"),
        (32, 2, ">"),
        (32, 3, "<"),
        (32, 3, ">"),
        (16, 3, "<"),
        (64, 3, "<"),
    ],
)
def test_numbers_whose_black_and_white_are_not_told_are_not_supported(bits, sample_format, order):
    content = bytes(64 * 64 * bits // 8)
    data = picture(content, [*grey(64, 64, bits=bits), (339, SHORT, [sample_format])], order=order)
    with pytest.raises(BrokenImage, match=r"^the TIFF image stores its samples in a way that is not supported$"):
        preprocess(data)


@pytest.mark.parametrize(
    ("tags", "options"),
    [
        (grey(64, 64), {"order": ">", "big": True}),
        (grey(64, 64, compression=JPEG_2000), {}),
        (grey(64, 64, compression=WEBP), {}),
        ([*with_values(grey(64, 64), bits=[16, 16], samples=[2]), (338, SHORT, [2])], {}),
        ([*with_values(grey(64, 64), bits=[8] * 5, samples=[5], photometric=[5]), (338, SHORT, [2])], {}),
        ([*with_values(grey(64, 64), bits=[32] * 3, samples=[3], photometric=[2]), (339, SHORT, [3] * 3)], {}),
        ([*with_values(grey(64, 64), bits=[16] * 3, samples=[3], photometric=[2]), (284, SHORT, [2])], {}),
    ],
    ids=[
        "big-endian BigTIFF",
        "JPEG 2000",
        "WebP",
        "grey with alpha",
        "CMYK with alpha",
        "floating point",
        "planes of 16 bits",
    ],
)
def test_what_is_sound_and_cannot_be_read_is_not_called_damaged(tags, options):
    with pytest.raises(BrokenImage, match="not supported"):
        preprocess(picture(bytes(64 * 64 * 12), tags, **options))


def test_planes_of_bytes_are_read():
    planes = np.stack([RAMP, 255 - RAMP, RAMP.T])
    tags = [*with_values(grey(64, 64), bits=[8] * 3, samples=[3], photometric=[2]), (284, SHORT, [2])]
    offsets = [CONTENT + 4096 * plane for plane in range(3)]
    data = tiff(tags + strips(offsets, [4096] * 3, rows=64), planes.tobytes())
    np.testing.assert_array_equal(preprocess(data).pixels, np.moveaxis(planes, 0, -1))
