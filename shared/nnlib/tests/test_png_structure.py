"""A PNG that asks for far more work than its pixels is refused; no picture is taken for one, however much it says.

What may tell how to turn the picture is read wherever Pillow would find it.
"""

import struct
import time
import zlib
from contextlib import suppress

import numpy as np
import pytest
from nnlib.errors import BrokenImage
from nnlib.png_structure import MAX_CHUNKS
from nnlib.preprocessing import preprocess
from PIL import Image

from shared.nnlib.tests.png_parts import chunk, png

TONES = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
STREAM = zlib.compress(b"".join(b"\0" + bytes(line) for line in TONES))
PHOTO = png(64, 64, STREAM)
HEADER_END, PIXELS_END = 33, len(PHOTO) - 12


def with_chunks(chunks, position=HEADER_END):
    return PHOTO[:position] + chunks + PHOTO[position:]


def is_whole(data):
    return (preprocess(data).pixels == TONES[..., None]).all()


def assert_quickly_refused(data):
    began = time.thread_time()
    with pytest.raises(BrokenImage, match=r"^the PNG image is stored in too many parts$"):
        preprocess(data)
    assert time.thread_time() - began < 1  # 10 MB of such chunks took up to 7 s


@pytest.mark.parametrize("position", [HEADER_END, PIXELS_END], ids=["before", "after"])
@pytest.mark.parametrize(
    "stuffing",
    [
        chunk(b"abCd", b""),  # of a kind that nobody knows
        chunk(b"tEXt", b"a\0b"),
        chunk(b"gAMA", b"\0\0\xb1\x8f"),
        chunk(b"IDAT", b""),
    ],
    ids=["private", "text", "gamma", "pixels"],
)
def test_chunks_beside_the_pixels_are_counted(stuffing, position):
    assert is_whole(with_chunks(stuffing * (MAX_CHUNKS - 10), position))
    assert_quickly_refused(with_chunks(stuffing * (10_000_000 // len(stuffing)), position))


def test_the_pieces_that_the_pixels_are_in_are_counted():
    assert is_whole(png(64, 64, STREAM, idat_bytes=1))
    stream = zlib.compress(bytes(500 * 501), 0)
    assert_quickly_refused(png(500, 500, stream, idat_bytes=1))


@pytest.mark.parametrize("is_of_the_animation", [True, False])
def test_the_frames_of_an_animation_are_not_counted(is_of_the_animation):
    frames = 2 * MAX_CHUNKS
    numbers = iter(range(3 * frames))

    def control():
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", next(numbers), 64, 64, 0, 0, 1, 10, 0, 0))

    animation = chunk(b"acTL", struct.pack(">II", frames, 0)) + (control() if is_of_the_animation else b"")
    data = with_chunks(animation)
    later = b"".join(control() + chunk(b"fdAT", struct.pack(">I", next(numbers)) + b"?") for _ in range(frames - 1))
    assert is_whole(data[:-12] + later + data[-12:])


def test_a_picture_of_10_mb_may_be_stored_in_small_pieces():
    stream = zlib.compress(bytes(3100 * 3101), 0)
    assert preprocess(png(3100, 3100, stream, idat_bytes=2048)).width == 3100


LONG = np.random.default_rng(1).bytes(2_000_000)
TURNED_A_QUARTER = Image.Exif()
TURNED_A_QUARTER[0x0112] = 6
RAW_PROFILE = f"\nexif\n      {len(TURNED_A_QUARTER.tobytes())}\n{TURNED_A_QUARTER.tobytes().hex()}\n".encode()
XMP = b'<rdf:Description tiff:Orientation="6"/>'
XMP_HEAD, COMPRESSED_XMP_HEAD = b"XML:com.adobe.xmp\0\0\0\0\0", b"XML:com.adobe.xmp\0\1\0\0\0"


@pytest.mark.parametrize("position", [HEADER_END, PIXELS_END], ids=["before", "after"])
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"iCCP", b"a\0\0" + zlib.compress(LONG)),
        (b"tEXt", b"a\0" + LONG),
        (b"zTXt", b"a\0\0" + zlib.compress(LONG)),
        (b"iTXt", b"a\0\1\0\0\0" + zlib.compress(LONG)),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(LONG)),
        (b"iTXt", COMPRESSED_XMP_HEAD + zlib.compress(LONG)),
    ],
    ids=["profile", "text", "compressed text", "international text", "EXIF", "XMP"],
)
def test_a_sound_picture_may_say_much_about_itself(kind, content, position):
    assert is_whole(with_chunks(chunk(kind, content), position))


@pytest.mark.parametrize("position", [HEADER_END, PIXELS_END], ids=["before", "after"])
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"eXIf", TURNED_A_QUARTER.tobytes().removeprefix(b"Exif\0\0")),
        (b"tEXt", b"exif\0" + TURNED_A_QUARTER.tobytes()),
        (b"tEXt", b"Raw profile type exif\0" + RAW_PROFILE),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW_PROFILE)),
        (b"iTXt", XMP_HEAD + XMP),
        (b"iTXt", COMPRESSED_XMP_HEAD + zlib.compress(XMP)),
    ],
    ids=["EXIF", "EXIF as text", "EXIF in digits", "compressed EXIF in digits", "XMP", "compressed XMP"],
)
def test_a_picture_is_turned_by_whatever_says_so(kind, content, position):
    beside = chunk(b"tEXt", b"Comment\0a") + chunk(kind, content) + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a"))
    assert (preprocess(with_chunks(beside, position)).pixels == np.rot90(TONES, -1)[..., None]).all()


@pytest.mark.parametrize(
    ("kind", "head"),
    [(b"zTXt", b"Raw profile type exif\0\0"), (b"iTXt", COMPRESSED_XMP_HEAD), (b"iCCP", b"a\0\0"), (b"zTXt", b"a\0\0")],
    ids=["EXIF", "XMP", "profile", "text"],
)
@pytest.mark.parametrize("tone", [b"a", b"\xff"], ids=["text", "no text"])
def test_what_is_said_is_not_inflated_without_end(kind, head, tone):
    data = with_chunks(chunk(kind, head + zlib.compress(tone * 2**21)) * (MAX_CHUNKS // 2))
    began = time.thread_time()
    with suppress(BrokenImage):
        preprocess(data)
    assert time.thread_time() - began < 4  # inflating a megabyte of each takes ten seconds
