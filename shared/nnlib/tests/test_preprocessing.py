"""Whatever photo comes in, the picture that the network sees is the one a careful person would have cut."""

import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlib.errors import BrokenImage, ImageError, TooManyPixels, UnsupportedFormat
from nnlib.preprocessing import detect_format, open_photo, preprocess
from PIL import Image, ImageFilter, ImageOps

from shared.nnlib.tests.png_parts import chunk, png

ENCODED_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]


def photo(width, height, *, seed=0, mode="RGB"):
    """A picture with broad shapes and some texture, different in all corners."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    noise = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    return Image.blend(coarse, noise.filter(ImageFilter.GaussianBlur(1)), 0.2).convert(mode)


def encode(image, image_format, **options):
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def square(image):
    """The data set's own preprocessing, step by step and at full size: what the quick way must come close to."""
    image = image.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.array(image.resize((64, 64), Image.Resampling.BICUBIC, box=box), dtype=np.int16)


def difference(pixels, expected):
    return np.abs(pixels.astype(np.int16) - expected)


@pytest.mark.parametrize("image_format", ENCODED_FORMATS)
def test_every_format_is_recognised_and_decoded(image_format):
    image = photo(150, 100)
    data = encode(image, image_format)
    picture = preprocess(data)
    assert (picture.format, picture.width, picture.height) == (image_format, 150, 100)
    assert picture.pixels.shape == (64, 64, 3)
    assert picture.pixels.dtype == np.uint8
    with Image.open(BytesIO(data)) as reopened:
        assert difference(picture.pixels, square(reopened)).mean() < 1


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF"])
def test_a_64x64_picture_comes_through_exactly_as_decoded(image_format):
    image = photo(64, 64)
    np.testing.assert_array_equal(preprocess(encode(image, image_format)).pixels, np.array(image))


@pytest.mark.parametrize("quality", [50, 92, 100])
def test_a_64x64_jpeg_comes_through_exactly_as_decoded(quality):
    data = encode(photo(64, 64), "JPEG", quality=quality)
    with Image.open(BytesIO(data)) as decoded:
        np.testing.assert_array_equal(preprocess(data).pixels, np.array(decoded))


def test_a_picture_can_be_changed_without_harm():
    assert preprocess(encode(photo(64, 64), "PNG")).pixels.flags.writeable


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from(["JPEG", "PNG"]))
def test_any_size_comes_close_to_the_slow_way(width, height, image_format):
    data = encode(photo(width, height), image_format)
    picture = preprocess(data)
    assert (picture.width, picture.height) == (width, height)
    with Image.open(BytesIO(data)) as image:
        assert difference(picture.pixels, square(image)).mean() < 2


@pytest.mark.parametrize("size", [(10, 5000), (5000, 10), (1, 1), (1, 4000), (3000, 2)])
def test_panoramas_and_slivers_give_a_picture(size):
    for image_format in ("JPEG", "PNG"):
        picture = preprocess(encode(photo(*size), image_format))
        assert (picture.width, picture.height) == size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@settings(max_examples=3, deadline=None)
@given(width=st.integers(64, 300), height=st.integers(64, 300))
def test_every_orientation_is_turned_upright(orientation, image_format, width, height):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(photo(width, height), image_format, exif=exif)
    picture = preprocess(data)
    with Image.open(BytesIO(data)) as image:
        image.load()
        viewed = ImageOps.exif_transpose(image)
    assert (picture.width, picture.height) == ((height, width) if orientation >= 5 else (width, height)) == viewed.size
    assert difference(picture.pixels, square(viewed)).mean() < 2


def test_the_orientation_test_could_fail():
    """Its photo looks different from all eight sides."""
    image = photo(100, 100)
    sides = [square(image.transpose(method)) for method in Image.Transpose]
    assert all(difference(side, square(image)).mean() > 10 for side in sides)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_spoil_a_sound_picture():
    data = encode(photo(80, 80), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert preprocess(data).pixels.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("mode", "image_format"),
    [("L", "JPEG"), ("L", "PNG"), ("1", "PNG"), ("P", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("CMYK", "TIFF")],
)
def test_other_colour_modes_become_rgb(mode, image_format):
    data = encode(photo(200, 140, mode=mode), image_format)
    with Image.open(BytesIO(data)) as image:
        assert image.mode == mode
        expected = square(image)
    assert difference(preprocess(data).pixels, expected).mean() < 1.0


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_tones(image_format):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    pixels = preprocess(encode(Image.fromarray(ramp), image_format)).pixels
    np.testing.assert_array_equal(pixels, np.repeat((ramp >> 8).astype(np.uint8)[..., None], 3, axis=2))


def test_a_transparent_tone_of_a_16_bit_grey_png_is_white_and_its_neighbours_are_not():
    tones = np.full((80, 80), 1000, np.uint16)
    tones[40:] = 1001  # the same high byte
    pixels = preprocess(encode(Image.fromarray(tones), "PNG", transparency=1000)).pixels
    assert pixels[:28].min() == 255
    assert pixels[36:].max() == 1000 >> 8


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_tone_of_a_grey_png_is_white_and_the_others_are_not(bits):
    tones = np.arange(64) * 2**bits // 64  # from black to white in broad stripes
    line = np.packbits(np.unpackbits(tones.astype(np.uint8)[:, None], axis=1)[:, -bits:]).tobytes()
    expected = tones * (255 // (2**bits - 1))
    for transparent in {0, 2 ** (bits - 1) - 1, 2**bits - 1}:
        data = png(64, 64, zlib.compress((b"\0" + line) * 64), bits=bits)
        header_end = data.index(b"IDAT") - 4
        data = data[:header_end] + chunk(b"tRNS", transparent.to_bytes(2, "big")) + data[header_end:]
        seen = np.where(tones == transparent, 255, expected)
        np.testing.assert_array_equal(preprocess(data).pixels[0, :, 0], seen)


def test_transparency_is_shown_over_white():
    for colour, alpha in [((255, 0, 0), 0), ((0, 0, 0), 128), ((200, 100, 50), 128), ((10, 20, 30), 255)]:
        image = Image.new("RGBA", (90, 70), (*colour, alpha))
        pixels = preprocess(encode(image, "PNG")).pixels
        assert difference(pixels, np.array(colour) * alpha / 255 + 255 - alpha).max() <= 1


def test_a_hidden_colour_does_not_bleed_into_a_visible_edge():
    """Half opaque grey, half transparent red: nothing reddish may appear."""
    image = Image.new("RGBA", (200, 200), (255, 0, 0, 0))
    image.paste((100, 100, 100, 255), (0, 0, 100, 200))
    pixels = preprocess(encode(image, "PNG")).pixels.astype(int)
    assert np.ptp(pixels, axis=2).max() <= 1
    assert pixels[:, :30].max() <= 101
    assert pixels[:, 34:].min() >= 254


@pytest.mark.parametrize(
    "image",
    [
        Image.new("LA", (80, 80), (0, 0)),
        Image.new("RGBA", (80, 80), (0, 0, 0, 0)).convert("P"),
    ],
    ids=["grey with alpha", "palette"],
)
def test_other_kinds_of_transparency_are_white_too(image):
    options = {"transparency": image.getpixel((0, 0))} if image.mode == "P" else {}
    assert preprocess(encode(image, "PNG", **options)).pixels.min() == 255


def test_a_transparent_colour_of_an_rgb_png_is_white():
    image = Image.new("RGB", (80, 80), (1, 2, 3))
    assert preprocess(encode(image, "PNG", transparency=(1, 2, 3))).pixels.min() == 255


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_many_is_taken(image_format):
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("#0000ff", "#ff0000", "#00ff00")]
    data = encode(frames[0], image_format, save_all=True, append_images=frames[1:])
    assert difference(preprocess(data).pixels, (0, 0, 255)).max() <= 6


@pytest.mark.parametrize("size", [(640, 480), (2000, 1500), (255, 255), (256, 1000), (600, 450), (905, 1201)])
def test_a_large_jpeg_is_decoded_at_a_reduced_scale_without_visible_loss(size):
    data = encode(photo(*size), "JPEG", quality=92)
    with Image.open(BytesIO(data)) as image:
        expected = square(image)
    assert difference(preprocess(data).pixels, expected).mean() < 1.0


def test_the_name_of_a_file_says_nothing():
    for data in (
        b"just text, though somebody called it cat.jpg",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM me",
    ):
        with pytest.raises(UnsupportedFormat, match="the content is not JPEG"):
            preprocess(data)


def test_a_video_in_the_container_of_heic_is_not_heic():
    assert detect_format(b"\0\0\0\x18ftypisom\0\0\0\0isommp42") is None
    assert detect_format(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIC"
    assert detect_format(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"


@pytest.mark.parametrize("size", [(20_000, 20_000), (10_000, 10_000), (5_001, 10_000), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_by_the_header_alone(size):
    """There are no pixels behind these headers: whoever decodes first says "damaged"."""
    with pytest.raises(TooManyPixels, match="50,000,000"):
        preprocess(png(*size))


@pytest.mark.parametrize("lines", [4_000_000, 50_000_000])
def test_a_picture_of_millions_of_lines_is_too_large_however_narrow(lines):
    """Each takes the decoder as much time and memory as if it were longer."""
    with pytest.raises(TooManyPixels, match="stored as more than 50,000,000"):
        preprocess(png(1, lines))


def test_a_narrow_picture_of_a_million_lines_is_read():
    assert preprocess(encode(Image.new("1", (1, 1_000_000), 1), "PNG")).height == 1_000_000


def test_the_limit_is_the_callers_and_inclusive():
    data = encode(photo(100, 100), "PNG")
    assert preprocess(data, max_pixels=10_000).width == 100
    with pytest.raises(TooManyPixels, match=r"100 x 100 pixels, more than 9,999"):
        preprocess(data, max_pixels=9_999)


@pytest.mark.parametrize("image_format", [*ENCODED_FORMATS])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1])
def test_a_truncated_image_is_broken(image_format, kept):
    data = encode(photo(200, 150), image_format)
    with pytest.raises(BrokenImage, match=f"^the {image_format} image is truncated or damaged$"):
        preprocess(data[: int(len(data) * kept)])


def test_nothing_and_no_pixels_are_broken():
    with pytest.raises(BrokenImage, match="empty"):
        preprocess(b"")
    for data in (png(0, 0), png(0, 5), png(5, 0), png(5, 5)):
        with pytest.raises(BrokenImage):
            preprocess(data)


def test_an_error_carries_no_words_of_a_library():
    for data in (b"\xff\xd8\xff", b"GIF89a", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"II*\0\xff\xff\xff\xff"):
        with pytest.raises(BrokenImage) as caught:
            preprocess(data)
        assert caught.value.__suppress_context__
        assert str(caught.value).endswith("image is truncated or damaged")


def test_pillow_does_not_warn_of_giants_on_stderr():
    gif = struct.pack("<6s2H3xc4Hx", b"GIF89a", 1, 1, b",", 0, 0, 13_000, 12_000) + b"\2\2\x44\1\0;"
    with pytest.raises(TooManyPixels):
        preprocess(gif)
    program = "import sys; from nnlib.preprocessing import preprocess; preprocess(sys.stdin.buffer.read())"
    reader = subprocess.run([sys.executable, "-c", program], input=gif, stderr=subprocess.PIPE)
    assert b"TooManyPixels" in reader.stderr
    assert b"Warning" not in reader.stderr


@pytest.mark.filterwarnings("ignore")  # Pillow warns of odd metadata on the way to an error
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_gives_a_picture_or_an_image_error(data):
    image_format = data.draw(st.sampled_from(ENCODED_FORMATS))
    image = bytearray(ENCODED[image_format])
    for _ in range(data.draw(st.integers(1, 8))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = preprocess(bytes(image))
    except ImageError:
        return
    assert picture.pixels.shape == (64, 64, 3)


ENCODED = {image_format: encode(photo(80, 70), image_format) for image_format in ENCODED_FORMATS}


def test_many_threads_get_the_same_pictures():
    photos = [encode(photo(300, 200, seed=seed), "JPEG") for seed in range(8)]
    expected = [preprocess(data).pixels for data in photos]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for picture, pixels in zip(pool.map(preprocess, photos), expected, strict=True):
                np.testing.assert_array_equal(picture.pixels, pixels)


@pytest.mark.parametrize(
    ("size", "image_format", "is_huge"),
    [((4100, 4000), "PNG", True), ((4000, 4000), "PNG", False), ((4100, 4000), "JPEG", False)],
)
def test_a_photo_is_huge_by_what_is_decoded_of_it(size, image_format, is_huge):
    """A JPEG in one scan is not huge: it is decoded at a reduced scale."""
    assert open_photo(encode(Image.new("L", size), image_format)).is_huge == is_huge


def in_three_scans(jpeg, *, orientation=False):
    """A grey picture as one of three components, in a scan for each."""
    frame, scan = jpeg.index(b"\xff\xc0"), jpeg.index(b"\xff\xda")
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    head = jpeg[:frame] + b"\xff\xc0\0\x11" + jpeg[frame + 4 : frame + 9] + b"\x03" + components
    exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    head = head[:2] + exif * orientation + head[2:] + jpeg[frame + 13 : scan]
    entropy_coded = jpeg[scan + 10 : -2]
    scans = b"".join(b"\xff\xda\0\x08\x01" + bytes([number, 0, 0, 63, 0]) + entropy_coded for number in (1, 2, 3))
    return head + scans + b"\xff\xd9"


@pytest.mark.parametrize("orientation", [False, True])
@pytest.mark.parametrize("kind", ["in one scan", "in three scans", "progressive"])
def test_a_jpeg_in_several_scans_is_huge_at_any_scale(kind, orientation):
    """Its decoder keeps the coefficients of the whole picture."""
    image = Image.new("L", (4100, 4000), 200)
    if kind == "in three scans":
        data = in_three_scans(encode(image, "JPEG"), orientation=orientation)
    else:
        exif = Image.Exif()
        exif[0x0112] = 6
        data = encode(image, "JPEG", progressive=kind == "progressive", exif=exif if orientation else b"")
    opened = open_photo(data)
    assert opened.is_huge == (kind != "in one scan")
    assert opened.picture().width == (4000 if orientation else 4100)


def test_pillows_own_settings_stay_as_they_were():
    from PIL import ImageFile

    preprocess(encode(photo(64, 64), "PNG"))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    assert Image.MAX_IMAGE_PIXELS == (1024 * 1024 * 1024 // 4 // 3)
