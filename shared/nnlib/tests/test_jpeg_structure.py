"""A JPEG that asks for far more work than its pixels is known by its markers; no photo is taken for one."""

import struct
import time
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlib.errors import BrokenImage
from nnlib.jpeg_structure import MAX_SCANS, MAX_STEPS, is_laborious
from nnlib.preprocessing import preprocess
from PIL import Image


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def many_scans(side, scans):
    """A grey progressive JPEG of one colour, whose later scans say of every block that nothing changes."""
    blocks = ((side + 7) // 8) ** 2
    tables = segment(0xDB, bytes([0]) + bytes([1]) * 64)
    tables += segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0]))
    lengths = bytes([1, 1]) + bytes(14)
    tables += segment(0xC4, bytes([0x00]) + lengths + bytes([0, 1]))
    tables += segment(0xC4, bytes([0x10]) + lengths + bytes([0xE0, 0x00]))
    first = segment(0xDA, bytes([1, 1, 0x00, 0, 0, 0])) + bytes((blocks + 7) // 8)
    bits = ("0" + "1" * 14) * (blocks // 32767 + 1)  # "the next 32,767 blocks are done"
    bits += "1" * (-len(bits) % 8)
    run = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    later = segment(0xDA, bytes([1, 1, 0x00, 1, 1, 0])) + run
    return b"\xff\xd8" + tables + first + later * (scans - 1) + b"\xff\xd9"


def encode(image, **options):
    buffer = BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def noise(width, height):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


PHOTO = encode(noise(200, 150))  # its first segment takes the bytes 2 to 20
PROGRESSIVE = encode(noise(200, 150), progressive=True)


@pytest.mark.parametrize("side", [64, 7000])
def test_scans_are_counted(side):
    assert preprocess(many_scans(side, 20)).width == side
    assert not is_laborious(many_scans(64, MAX_SCANS))
    for scans in (MAX_SCANS + 1, 5000):
        began = time.perf_counter()
        with pytest.raises(BrokenImage, match="too many parts"):
            preprocess(many_scans(side, scans))
        assert time.perf_counter() - began < 0.5  # decoding 5,000 scans of the large one takes 20 s


@pytest.mark.parametrize("before", [b"", segment(0xE1, b"Exif\0\0")])
def test_scans_of_single_components_are_counted_too(before):
    """What the file leaves out of a scan, its decoder makes up."""
    header = encode(Image.new("RGB", (7000, 7000)), quality=75)
    header = header[:2] + before + header[2 : header.index(b"\xff\xda")]
    scans = [segment(0xDA, bytes([1, component, 0, 0, 63, 0])) + b"\0" for component in (1, 2, 3)]
    assert preprocess(header + b"".join(scans) + b"\xff\xd9").width == 7000
    assert not is_laborious(header + b"".join(scans * (MAX_SCANS // 3)) + b"\xff\xd9")
    began = time.thread_time()
    with pytest.raises(BrokenImage, match="too many parts"):
        preprocess(header + b"".join(scans * 5000) + b"\xff\xd9")
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    "stuffing",
    [
        b"\xff\xfe\0\2",  # empty comments
        b"\xff\xe1\0\4ab",  # tiny metadata
        b"\xff",  # fill bytes
        b"\0",  # stray bytes
        b"\xff\0",
        b"\xff\xd0",
        b"\xff\xd8",
    ],
    ids=bytes.hex,
)
def test_stuffing_before_the_first_scan_is_counted(stuffing):
    assert not is_laborious(PHOTO[:20] + stuffing * (MAX_STEPS // 2) + PHOTO[20:])
    began = time.perf_counter()
    with pytest.raises(BrokenImage, match="too many parts"):
        preprocess(PHOTO[:20] + stuffing * (5_000_000 // len(stuffing)) + PHOTO[20:])
    assert time.perf_counter() - began < 0.5


def test_whatever_follows_the_picture_is_no_scan():
    video = b"\xff\xda" * 1000
    for photo in (PHOTO, PROGRESSIVE):
        assert not is_laborious(photo + video)
        assert preprocess(photo + video).width == 200


def test_what_looks_like_a_scan_inside_metadata_is_none():
    metadata = segment(0xE1, b"\xff\xda\0\2" * 1000)
    assert not is_laborious(PHOTO[:2] + metadata * 3 + PHOTO[2:])
    between = PROGRESSIVE.rindex(b"\xff\xda")
    assert not is_laborious(PROGRESSIVE[:between] + metadata * 3 + PROGRESSIVE[between:])


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"quality": 100}, {"comment": "a"}])
def test_what_encoders_write_is_not_laborious(options):
    for image in (noise(600, 400), noise(1, 1), Image.new("L", (3000, 2000)), Image.new("CMYK", (64, 64))):
        assert not is_laborious(encode(image, **options))


@given(st.binary(max_size=300), st.integers(2, len(PROGRESSIVE)))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_judged_without_an_error(noise_bytes, position):
    for data in (b"\xff\xd8\xff" + noise_bytes, PROGRESSIVE[:position], PROGRESSIVE[:position] + noise_bytes):
        assert isinstance(is_laborious(data), bool)
