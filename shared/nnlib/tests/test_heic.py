"""HEIC, the photos of most telephones."""

import struct
from io import BytesIO

import numpy as np
import pytest
from nnlib.errors import BrokenImage, TooManyPixels
from nnlib.preprocessing import preprocess
from PIL import Image

from shared.nnlib.tests.heic_parts import COLOUR, Item, box, grey, heic, heic_file, hevc

NOT_SUPPORTED = r"^the HEIC image is stored in a way that is not supported$"


def test_a_64x64_heic_comes_through_exactly():
    luma = grey(64, 64)
    picture = preprocess(heic(luma))
    assert (picture.format, picture.width, picture.height) == ("HEIC", 64, 64)
    np.testing.assert_array_equal(picture.pixels, np.repeat(luma[..., None], 3, axis=2))


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_a_heic_is_turned_as_a_viewer_turns_it(quarter_turns):
    luma = grey(128, 96)
    shown = np.rot90(luma, quarter_turns)
    picture = preprocess(heic(luma, quarter_turns=quarter_turns))
    assert (picture.height, picture.width) == shown.shape
    side, height, width = 96, *shown.shape
    left, top = (width - side) // 2, (height - side) // 2
    expected = Image.fromarray(shown).resize(
        (64, 64), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
    )
    difference = np.abs(picture.pixels.astype(int) - np.asarray(expected, int)[..., None])
    assert difference.max() <= 1


def test_one_that_shows_a_small_part_of_what_is_stored_is_not_called_damaged():
    part = box(b"clap", struct.pack(">IIIIiIiI", 64, 1, 64, 1, 0, 1, 0, 1))
    with pytest.raises(BrokenImage, match=NOT_SUPPORTED):
        preprocess(heic_file(hevc(grey(256, 256), properties=(COLOUR, part))))


def test_another_kind_of_picture_in_the_container_of_heic_is_not_called_damaged():
    jpeg = BytesIO()
    Image.fromarray(grey(64, 64)).save(jpeg, "JPEG")
    with pytest.raises(BrokenImage, match=NOT_SUPPORTED):
        preprocess(heic_file(Item((64, 64), jpeg.getvalue(), b"jpeg")))


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.1])
def test_a_truncated_heic_is_broken(kept):
    data = heic(grey(64, 64))
    with pytest.raises(BrokenImage, match=r"^the HEIC image is truncated or damaged$"):
        preprocess(data[: int(len(data) * kept)])


def test_a_heic_with_too_many_pixels_is_refused():
    with pytest.raises(TooManyPixels):
        preprocess(heic(grey(64, 64)), max_pixels=64 * 63)
