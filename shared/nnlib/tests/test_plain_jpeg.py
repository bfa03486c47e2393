"""A plain JPEG is decoded as Pillow's own file object decodes it; all that is not plain is left to that."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from nnlib.plain_jpeg import PlainJpeg
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile


def noise(width, height, mode="RGB"):
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(width * height).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(values.squeeze(axis=2) if channels == 1 else values, mode)


def encode(image, **options):
    buffer = BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


PHOTO = encode(noise(40, 30))
FRAME = PHOTO.index(b"\xff\xc0")


@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    mode=st.sampled_from(["L", "RGB"]),
    scale=st.sampled_from([1, 2, 4, 8]),
    options=st.fixed_dictionaries(
        {"quality": st.integers(5, 100), "progressive": st.booleans()},
        optional={
            "colours": st.sampled_from([{"subsampling": 0}, {"subsampling": 2}, {"keep_rgb": True}]),
            "comment": st.just("of a cat"),
            "icc_profile": st.just(b"\xff\xd9" * 500),
            "restart_marker_blocks": st.integers(1, 5),
        },
    ),
)
@settings(max_examples=100, deadline=None)
def test_the_picture_is_pillows(width, height, mode, scale, options):
    data = encode(noise(width, height, mode), **options.pop("colours", {}), **options)
    plain = PlainJpeg.read(data)
    assert plain is not None
    assert (plain.width, plain.height) == (width, height)
    whole = JpegImageFile(BytesIO(data))
    if scale > 1:
        whole.draft(None, (max(width // scale, 1), max(height // scale, 1)))
    assume(scale == 1 or whole.decoderconfig == (scale, 0))  # Pillow reduces a sliver by less
    picture = plain.decoded(scale)
    assert picture.mode == whole.mode
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(whole))


@pytest.mark.parametrize(
    "data",
    [
        encode(noise(40, 30), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
        encode(noise(40, 30), xmp=b"<x:xmpmeta/>"),
        encode(noise(40, 30, "CMYK")),
        PHOTO[:2] + b"\0" + PHOTO[2:],
        PHOTO[:2] + b"\xff\xfe\0\2" * 50 + PHOTO[2:],
        PHOTO[:FRAME] + PHOTO[FRAME : FRAME + 19] + PHOTO[FRAME:],
        PHOTO.replace(PHOTO[FRAME : FRAME + 5], b"\xff\xc0\0\x11\x0c"),
        PHOTO.replace(b"\xff\xc0", b"\xff\xc9"),
        PHOTO[: FRAME + 5] + b"\0\0" + PHOTO[FRAME + 7 :],
        PHOTO[: FRAME + 7] + b"\0\0" + PHOTO[FRAME + 9 :],
        PHOTO[:FRAME],
        b"\xff\xd8\xff",
    ],
    ids=[
        "orientation",
        "metadata",
        "four components",
        "a stray byte",
        "many segments",
        "two frames",
        "12 bits",
        "arithmetic coding",
        "no height",
        "no width",
        "no frame",
        "nothing",
    ],
)
def test_what_is_not_plain_is_left_alone(data):
    assert PlainJpeg.read(data) is None


@given(st.integers(2, len(PHOTO)))
@example(len(PHOTO) - 3)
@settings(max_examples=200, deadline=None)
def test_a_truncated_picture_is_refused(length):
    plain = PlainJpeg.read(PHOTO[:length])
    if plain is not None and length < len(PHOTO) - 2:  # without its last marker the picture is whole
        with pytest.raises(ValueError, match="image data"):
            plain.decoded(1)


@given(noise_bytes=st.binary(min_size=1, max_size=30), position=st.integers(2, 700))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_without_an_error(noise_bytes, position):
    for data in (b"\xff\xd8" + noise_bytes, PHOTO[:position] + noise_bytes + PHOTO[position + len(noise_bytes) :]):
        plain = PlainJpeg.read(data)
        assert plain is None or (plain.width and plain.height)
