"""A TIFF that asks for far more than its picture is known by its first directory; no photo is taken for one."""

import time
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlib.errors import BrokenImage, TooManyPixels
from nnlib.preprocessing import open_photo, preprocess
from nnlib.tiff_structure import MAX_PARTS, MAX_TAGS, TiffStructure
from PIL import Image

from shared.nnlib.tests.tiff_parts import CONTENT, LONG, LONG8, RATIONAL, SHORT, grey, strips, tiff, tile

FORMS = [("<", False), (">", False), ("<", True), (">", True)]
DEFLATE = 8


def encode(image, **options):
    buffer = BytesIO()
    image.save(buffer, "TIFF", **options)
    return buffer.getvalue()


def noise(width, height):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def refused_as_laborious(data):
    began = time.thread_time()
    with pytest.raises(BrokenImage, match="the TIFF image is stored in too many parts"):
        preprocess(data)
    return time.thread_time() - began < 1


@pytest.mark.parametrize(("order", "big"), FORMS)
def test_the_tile_of_a_small_picture_counts_as_pixels(order, big):
    data = tiff(grey(64, 64, compression=DEFLATE) + tile(40_000, 30_000, 99), bytes(99), order=order, big=big)
    assert TiffStructure.read(data).tile_pixels == 1_200_000_000
    if (order, big) == (">", True):
        return  # Pillow does not read these
    with pytest.raises(TooManyPixels, match=r"the image is stored as more than 50,000,000 pixels"):
        preprocess(data)


def test_a_tile_cannot_hide_behind_another_number_of_the_same_name():
    tags = [*grey(64, 64), (322, LONG, [64]), (322, LONG8, [2**33]), *tile(64, 64, 64 * 64)]
    assert TiffStructure.read(tiff(tags, bytes(64 * 64))).tile_pixels == 2**33 * 64


@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_a_picture_smaller_than_its_only_tile_is_read(compression):
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    content = ramp.tobytes() if compression == 1 else zlib.compress(ramp.tobytes())
    data = tiff(grey(64, 64, compression=compression) + tile(256, 256, len(content)), content)
    np.testing.assert_array_equal(preprocess(data).pixels[..., 0], ramp[:64, :64])


@pytest.mark.parametrize(("side", "is_huge"), [(4096, True), (2048, False)])
def test_a_picture_of_a_huge_tile_is_huge(side, is_huge):
    content = zlib.compress(bytes(side * side))
    data = tiff(grey(64, 64, compression=DEFLATE) + tile(side, side, len(content)), content)
    assert open_photo(data).is_huge == is_huge


@pytest.mark.parametrize(("order", "big"), FORMS)
def test_strips_are_counted(order, big):
    for count, is_laborious in [(MAX_PARTS, False), (MAX_PARTS + 1, True)]:
        tags = grey(64, count) + strips([CONTENT] * count, [64] * count, rows=1)
        assert TiffStructure.read(tiff(tags, bytes(64), order=order, big=big)).is_laborious == is_laborious


def test_a_picture_of_too_many_strips_is_refused_at_once():
    count = 300_000
    assert refused_as_laborious(tiff(grey(64, count) + strips([CONTENT] * count, [64] * count, rows=1), bytes(64)))


def test_tags_are_counted():
    for count, is_laborious in [(MAX_TAGS, False), (MAX_TAGS + 1, True)]:
        assert TiffStructure.read(tiff([(40_000, SHORT, [1])] * count, b"")).is_laborious == is_laborious
    assert refused_as_laborious(tiff([(40_000, SHORT, [1])] * 300_000, b"", big=True))


def test_tags_that_share_what_they_hold_are_refused():
    """A decoder makes a copy for each: of these 300 it would be 300 MB."""
    tags = [(40_000 + number, SHORT, (500_000, CONTENT)) for number in range(300)]
    assert refused_as_laborious(tiff(grey(64, 64) + strips([CONTENT], [4096], rows=64) + tags, bytes(1_000_000)))


@pytest.mark.parametrize(("number", "kind"), [(258, SHORT), (339, SHORT), (700, RATIONAL), (34675, RATIONAL)])
def test_a_list_of_a_million_numbers_is_refused(number, kind):
    tags = grey(64, 64) + strips([CONTENT], [4096], rows=64)
    tags = [tag for tag in tags if tag[0] != number] + [(number, kind, (500_000, CONTENT))]
    assert refused_as_laborious(tiff(tags, bytes(8 * 500_000)))


def test_the_numbers_that_a_camera_wrote_about_the_photo_are_not_read():
    count = 400_000
    exif = tiff([(33434, RATIONAL, (count, CONTENT))], bytes(8 * count))
    position = CONTENT + len(exif)  # of the second directory, which is the first one's last part
    tags = [*grey(64, 64), *strips([CONTENT], [4096], rows=64), (34665, LONG, [position - 18])]
    began = time.thread_time()
    assert preprocess(tiff(tags, exif)).width == 64
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(("width", "height"), [(6250, 8000), (5000, 10_000), (2048, 24_000)])
def test_a_sound_picture_of_a_strip_a_row_passes(width, height):
    offsets = [CONTENT + width * row for row in range(height)]
    data = tiff(grey(width, height) + strips(offsets, [width] * height, rows=1), bytes(width * height))
    structure = TiffStructure.read(data)
    assert structure.is_whole
    assert not structure.is_laborious


def test_long_metadata_passes():
    photo = noise(200, 150)
    for options in ({"icc_profile": bytes(3_000_000)}, {"description": "x" * 3_000_000}):
        assert preprocess(encode(photo, **options)).width == 200


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}, {"big_tiff": True}])
def test_a_photo_passes(options):
    structure = TiffStructure.read(encode(noise(200, 150), **options))
    assert (structure.is_laborious, structure.is_whole, structure.tile_pixels) == (False, True, 0)


def test_a_directory_that_is_cut_off_is_not_whole():
    data = tiff(grey(64, 64) + strips([CONTENT], [4096], rows=64), bytes(4096))
    assert TiffStructure.read(data).is_whole
    for kept in range(4, len(data) - 4):  # behind the last tag is the position of the next directory
        assert not TiffStructure.read(data[:kept]).is_whole


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]), st.binary(max_size=200), st.data())
def test_any_bytes_have_a_structure(magic, tail, data):
    assert TiffStructure.read(magic + tail).tile_pixels >= 0
    image = bytearray(tiff(grey(9, 9) + tile(64, 64, 99), bytes(99)))
    for _ in range(data.draw(st.integers(1, 8))):
        image[data.draw(st.integers(4, len(image) - 1))] = data.draw(st.integers(0, 255))
    assert TiffStructure.read(bytes(image)).tile_pixels >= 0


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*", b"II+\0"])
def test_a_head_without_a_directory_is_damaged_not_laborious(head):
    for data in (head, head + bytes(100)):
        assert not TiffStructure.read(data).is_laborious
        with pytest.raises(BrokenImage, match="truncated or damaged"):
            preprocess(data)
