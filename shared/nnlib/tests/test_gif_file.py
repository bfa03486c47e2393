"""What the first picture of a GIF leaves of its screen is white, as anything transparent is."""

from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from nnlib.errors import ImageError
from nnlib.preprocessing import preprocess
from PIL import Image

from shared.nnlib.tests.test_preprocessing import difference

INSIDE = (16, 8, 48, 24)


def gif(image, *, screen=None, at=(0, 0), **options):
    """With another size of the screen than that of the picture."""
    buffer = BytesIO()
    image.save(buffer, "GIF", **options)
    data = bytearray(buffer.getvalue())
    if screen is not None:
        data[6:10] = b"".join(side.to_bytes(2, "little") for side in screen)
    picture = data.index(b"," + bytes(4) + b"".join(side.to_bytes(2, "little") for side in image.size))
    data[picture + 1 : picture + 5] = b"".join(side.to_bytes(2, "little") for side in at)
    return bytes(data)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_what_the_first_picture_leaves_of_the_screen_is_white(mode):
    image = Image.effect_noise((32, 16), 40).point(lambda tone: tone // 2).convert("RGB").convert(mode)
    left, top, right, bottom = INSIDE
    pixels = preprocess(gif(image, screen=(64, 64), at=(left, top))).pixels
    expected = np.full((64, 64, 3), 255)
    expected[top:bottom, left:right] = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(pixels, expected)


def test_a_transparent_colour_stays_transparent_beside_it():
    image = Image.new("P", (32, 64), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.paste(0, (0, 0, 16, 64))
    pixels = preprocess(gif(image, screen=(64, 64), transparency=0)).pixels
    assert difference(pixels[:, 16:32], (200, 0, 0)).max() == 0
    assert pixels[:, :16].min() == pixels[:, 32:].min() == 255


def test_a_picture_that_reaches_over_the_edge_widens_the_screen():
    picture = preprocess(gif(Image.new("L", (32, 32), 90), screen=(48, 48), at=(32, 32)))
    assert (picture.width, picture.height) == (64, 64)
    assert picture.pixels[:32].min() == 255
    assert difference(picture.pixels[32:, 32:], 90).max() == 0


@pytest.mark.parametrize("size", [(0, 0), (0, 9), (9, 0)])
def test_a_picture_without_pixels_is_white_or_broken(size):
    data = bytearray(gif(Image.new("L", (9, 9), 90), screen=(64, 64)))
    picture = data.index(b"," + bytes(4) + b"\x09\0\x09\0")
    data[picture + 5 : picture + 9] = b"".join(side.to_bytes(2, "little") for side in size)
    with suppress(ImageError):
        assert preprocess(bytes(data)).pixels.min() == 255
