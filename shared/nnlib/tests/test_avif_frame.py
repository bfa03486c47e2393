"""An AVIF is as large as its AV1 frames are, whatever it announces; and every sound one is read."""

import struct
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nnlib import preprocessing
from nnlib.avif_frame import decoded_pixels
from nnlib.errors import BrokenImage, ImageError, TooManyPixels
from nnlib.iso_media import IMAGES_AT_ONCE
from nnlib.preprocessing import open_photo, preprocess
from PIL.AvifImagePlugin import AvifImageFile

from shared.nnlib.tests.avif_parts import (
    Bits,
    Item,
    av1,
    avif,
    bits_of,
    box,
    bytes_of,
    encode,
    first_sample,
    flat,
    obu,
    obus,
    of_grid,
    track,
)

TEMPORAL_DELIMITER, SEQUENCE_HEADER, FRAME_HEADER, FRAME, PADDING = 2, 1, 3, 6, 15

SMALL = av1((100, 80))
LARGE = av1((1000, 1000), announced=(100, 80))
LARGE.configuration = SMALL.configuration  # tiles of a grid have to agree on it

ANIMATION = encode(flat((1000, 1000)), save_all=True, append_images=[flat((1000, 1000), "#0000ff")])
"""Of its headers none is left out, as it is of a single picture's."""


def item(*units, size=(100, 80)):
    return Item(size, b"".join(units), configuration=SMALL.configuration)


def two_colours(size):
    """Red on the left, blue on the right."""
    image = flat(size)
    image.paste("#0000ff", (size[0] // 2, 0, *size))
    return image


@pytest.fixture
def undecoded(monkeypatch):
    monkeypatch.delattr(AvifImageFile, "load")


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from(["RGB", "RGBA", "L"]),
    st.sampled_from(["4:4:4", "4:2:2", "4:2:0", "4:0:0"]),
    st.booleans(),
)
def test_what_an_encoder_writes_is_as_large_as_it_says(width, height, mode, subsampling, is_animated):
    size = width, height
    options = {"save_all": True, "append_images": [flat(size, "#00ff00", mode)]} if is_animated else {}
    assert decoded_pixels(encode(flat(size, mode=mode), subsampling=subsampling, **options)) == width * height


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 100},
        {"range": "limited"},
        {"tile_rows": 2, "tile_cols": 1},
        {"autotiling": False},
        {"alpha_premultiplied": True},
        {"icc_profile": bytes(3000), "xmp": "<x/>"},
        {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"},
        {"advanced": {"film-grain-test": "1"}},
        {"advanced": {"sb-size": "64", "tune": "ssim"}},
        {"codec": "aom", "speed": 6},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_animated", [False, True])
def test_every_option_of_an_encoder_is_read(options, is_animated):
    image = flat((600, 400), mode="RGBA")
    if is_animated:
        options = {**options, "save_all": True, "append_images": [flat((600, 400), "#00ff00", "RGBA")]}
    data = encode(image, **options)
    assert decoded_pixels(data) == 600 * 400
    assert preprocess(data).width == 600


@pytest.mark.parametrize(
    "data",
    [
        avif(SMALL),
        avif(SMALL, version=0),
        avif(SMALL, version=2, index_bytes=8),
        avif(av1((100, 80), parts=3)),
        avif(av1((100, 80), is_in_idat=True)),
        avif(av1((100, 80), parts=2, is_in_idat=True)),
        avif(SMALL) + avif(LARGE),
        avif(SMALL) + b"what follows the last box",
        avif(SMALL) + box(b"free", bytes(10)) + bytes(1000),
        avif(SMALL, av1((100, 80), "L", is_alpha=True)),
        avif(item(*(obu(kind, content, has_size=kind != FRAME) for kind, content in obus(SMALL.data)))),
        avif(item(SMALL.data, obu(PADDING, bytes(300)))),
        avif(item(SMALL.data, bytes(300))),
        avif(item(obu(SEQUENCE_HEADER, obus(SMALL.data)[1][1]), SMALL.data)),
    ],
)
def test_a_file_may_be_laid_out_in_many_ways(data):
    assert decoded_pixels(data) == 100 * 80
    picture = preprocess(data)
    assert (picture.width, picture.height) == (100, 80)
    assert picture.pixels[32, 32, 0] > picture.pixels[32, 32, 1]


def test_tiles_of_a_grid_are_not_added_up_to_more_than_the_photo():
    tile = av1((64, 64))
    photo = avif(of_grid(40, 30, (2500, 1900)), *[tile] * 1200)
    assert preprocess(photo, max_pixels=2500 * 1900).width == 2500
    assert decoded_pixels(photo) <= 2500 * 1900


def test_a_frame_larger_than_announced_is_too_many_pixels(undecoded):
    honest = encode(flat((2000, 2000)))
    at = honest.index(b"ispe") + 8
    lie = honest[:at] + bytes([0, 0, 0, 64] * 2) + honest[at + 8 :]
    for data in (honest, lie):
        with pytest.raises(TooManyPixels, match="more than 3,999,999"):
            preprocess(data, max_pixels=3_999_999)


def test_the_decoder_believes_the_frame():
    """Or there would be no need for all this."""
    picture = preprocess(avif(LARGE), max_pixels=1_000_000)
    assert (picture.width, picture.height) == (100, 80)


@pytest.mark.parametrize("part", ["alpha", "tile", "thumbnail"])
def test_any_image_in_a_file_may_be_the_large_one(part, undecoded):
    lie = av1((1000, 1000), "L", announced=(100, 80), is_alpha=True) if part == "alpha" else LARGE
    data = avif(of_grid(2, 1, (200, 80)), SMALL, lie) if part == "tile" else avif(SMALL, lie)
    with pytest.raises(TooManyPixels):
        preprocess(data, max_pixels=999_999)


def test_many_frames_are_more_than_one(undecoded):
    """Each within the limit, and decoded for a picture of a few pixels."""
    tiles = 2 * IMAGES_AT_ONCE
    with pytest.raises(TooManyPixels):
        preprocess(avif(of_grid(tiles, 1, (100 * tiles, 80)), *[LARGE] * tiles), max_pixels=1_999_999)
    header, frame = (content for _, content in obus(first_sample(ANIMATION))[1:])
    with pytest.raises(TooManyPixels):
        preprocess(avif(item(obu(SEQUENCE_HEADER, header), obu(FRAME, frame) * tiles)), max_pixels=1_999_999)


@pytest.mark.parametrize("large_first", [False, True])
def test_one_sequence_header_does_not_hide_another(large_first, undecoded):
    data = LARGE.data + SMALL.data if large_first else SMALL.data + LARGE.data
    with pytest.raises(TooManyPixels):
        preprocess(avif(item(data)), max_pixels=999_999)


def test_a_frame_may_be_larger_than_the_sequence_header_says():
    """Its own size follows on eight flags, of which the seventh says that it has one, and seven bits of its order."""
    animation = encode(two_colours((2100, 10)), save_all=True, append_images=[flat((2100, 10))])
    (_, header), (_, frame) = obus(first_sample(animation))[1:]
    header, frame, size = bits_of(header), bits_of(frame), f"{2099:012b}{9:04b}"
    header = header.replace(size, f"{9:012b}{9:04b}")
    frame = frame[:6] + "1" + frame[7:14] + size + frame[14:]
    lie = item(obu(SEQUENCE_HEADER, bytes_of(header)), obu(FRAME, bytes_of(frame)), size=(10, 10))
    assert decoded_pixels(avif(lie)) == 2**12 * 2**4  # as many as the size has bits for
    pixels = preprocess(avif(lie)).pixels
    assert pixels[32, 0, 0] > 200 > pixels[32, 63, 0]  # it is decoded to its right end


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 2**16), st.integers(1, 2**16), st.randoms(use_true_random=True))
def test_every_kind_of_header_is_read(width, height, random):
    """Written as 5.5.1 and 5.9.2 of the AV1 specification say, with what is of no matter here drawn at random."""
    header, frame = Bits(random), Bits(random)
    flag, number, anything = header.flag, header.number, header.anything
    time_bits = delay_bits = 0
    profile = number(3, random.randint(0, 2))
    number(2, 0)  # neither a still picture nor with a reduced header
    if flag():
        anything(64)
        has_equal_intervals = flag()
        if has_equal_intervals:
            zeros = random.randint(0, 31)
            number(zeros + 1, 1)
            anything(zeros)
        if flag():
            delay_bits = number(5) + 1
            anything(32 + 5)
            bits = number(5) + 1
            time_bits = 0 if has_equal_intervals else bits
    has_display_delay = flag()
    for _ in range(number(5) + 1):
        anything(12)
        if number(5) > 7:
            anything(1)
        if delay_bits and flag():
            anything(2 * delay_bits + 1)
        if has_display_delay and flag():
            anything(4)
    width_bits, height_bits = (random.randint((side - 1).bit_length() or 1, 16) for side in (width, height))
    for bits, value in ((4, width_bits - 1), (4, height_bits - 1), (width_bits, width - 1), (height_bits, height - 1)):
        number(bits, value)
    id_bits = 0
    if flag():
        id_bits = number(4) + 2 + number(3) + 1
    anything(3 + 4)
    has_order = flag()
    if has_order:
        anything(2)
    tools = None if flag() else number(1)
    integer_motion = None
    if tools != 0 and not flag():
        integer_motion = number(1)
    anything(3 if has_order else 0)
    anything(3)
    depth = 2 if flag() else 1
    has_12_bits = profile == 2 and depth == 2 and flag()
    is_grey = profile != 1 and flag()
    is_srgb = False
    if flag():
        is_srgb = number(24, random.choice([0x010D00, 0x010D01])) == 0x010D00
    columns, rows = {0: (2, 2), 1: (1, 1), 2: (2, 1)}[profile]
    if not (is_grey or is_srgb):
        anything(1)
        if has_12_bits:
            columns = 2 if flag() else 1
            rows = 2 if columns == 2 and flag() else 1
        anything(2 if columns * rows == 4 else 0)
    elif is_grey:
        anything(1)
    else:
        columns = rows = 1
    anything(0 if is_grey else 1)
    samples = 1 if is_grey else 1 + 2 / (columns * rows)
    frames = 2 if flag() else 1  # with film grain

    frame.number(1, 0)
    kind, is_shown = frame.number(2), frame.flag()
    frame.anything(time_bits if is_shown else 1)
    if kind not in (0, 3) or (kind == 0 and not is_shown):
        frame.anything(1)
    frame.anything(1)
    has_tools = frame.flag() if tools is None else tools
    if has_tools and integer_motion is None:
        frame.anything(1)
    frame.anything(id_bits)
    has_own_size = kind == 3 or frame.flag()

    stream = obu(SEQUENCE_HEADER, header.bytes()) + obu(FRAME_HEADER, frame.bytes())
    pixels = 2 ** (width_bits + height_bits) if has_own_size else width * height
    assert decoded_pixels(avif(item(stream))) == max(pixels, int(pixels * samples) * depth * frames // 8)


def test_the_first_picture_of_an_animation_is_looked_at():
    data = ANIMATION.replace(b"meta", b"free", 1)
    assert decoded_pixels(data) == 1_000_000
    with pytest.raises(BrokenImage):
        decoded_pixels(data.replace(b"moov", b"free", 1))


def test_an_animation_of_millions_of_pictures_is_refused_before_the_decoder_lists_them(monkeypatch):
    opened = []
    monkeypatch.setattr(AvifImageFile, "_open", lambda file: opened.append(file))
    samples_of_a_chunk = ANIMATION.index(b"stsc") + 16
    animation = bytearray(ANIMATION)
    assert struct.unpack_from(">I", animation, samples_of_a_chunk) == (2,)
    struct.pack_into(">I", animation, samples_of_a_chunk, 2_000_000)
    with pytest.raises(BrokenImage):
        preprocess(bytes(animation))
    assert not opened


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("is_uniform", [False, True])
def test_every_track_is_looked_at(is_long, is_uniform):
    streams = SMALL.data, LARGE.data, b"no AV1"
    start = 24  # of the first sample
    tracks = b""
    for stream, kind in zip(streams, (b"av01", b"av01", b"mp4a"), strict=True):
        sizes = (len(stream), 2) if is_uniform else (0, 2, len(stream), 5)
        tracks += track(
            box(b"stsd", struct.pack(">II", 0, 1), box(kind, bytes(78))),
            box(b"stsz", struct.pack(f">I{len(sizes)}I", 0, *sizes)),
            box(b"co64" if is_long else b"stco", struct.pack(">IIQ" if is_long else ">III", 0, 1, start)),
        )
        start += len(stream)
    head = box(b"ftyp", b"avis", bytes(4))
    assert decoded_pixels(head + box(b"mdat", *streams) + box(b"moov", tracks)) == 1_000_000


@pytest.mark.parametrize(("width", "is_huge"), [(1000, False), (1001, True)])
def test_a_photo_is_huge_by_its_frame(width, is_huge, monkeypatch):
    monkeypatch.setattr(preprocessing, "HUGE_PIXELS", 1_000_000)
    assert open_photo(avif(av1((width, 1000), announced=(64, 64)))).is_huge == is_huge


@pytest.mark.parametrize(
    "data",
    [
        avif(item(obu(TEMPORAL_DELIMITER, b""))),
        avif(item(obu(SEQUENCE_HEADER, obus(SMALL.data)[1][1]))),
        avif(item(obu(FRAME, obus(SMALL.data)[2][1]), SMALL.data)),
        avif(item(SMALL.data, b"\x0a\x0b")),
        avif(item(SMALL.data, b"\x0a" + b"\xff" * 9)),
        avif(item(SMALL.data, b"\x0e")),
        avif(Item((100, 80), b"", configuration=SMALL.configuration)),
        avif(SMALL).replace(b"hdlr", b"iloc"),
        avif(SMALL).replace(b"av01", b"hvc1"),
        avif(SMALL).replace(b"iloc", b"free"),
        b"\0\0\0\x14ftypavif\0\0\0\0avif",
    ],
)
def test_what_cannot_be_followed_is_broken(data):
    with pytest.raises(BrokenImage, match=r"^the AVIF image is truncated or damaged$"):
        decoded_pixels(data)
    with pytest.raises(BrokenImage, match=r"^the AVIF image is truncated or damaged$"):
        preprocess(data)


def laborious_header(number):
    """Of 32 operating points, and whatever number behind what is read."""
    return bytes_of("0" * 7 + "11111" + ("0" * 12 + "00000") * 32 + "0000" * 2 + "0" * 28) + number.to_bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        avif(SMALL) + box(b"free") * 1_000_000,
        avif(item(SMALL.data, obu(PADDING, b"") * 1_000_000)),
        avif(item(*(obu(SEQUENCE_HEADER, laborious_header(number)) for number in range(15_000)), SMALL.data)),
        avif(*[av1((64, 64), parts=20)] * 2000),
        avif(SMALL, version=2).replace(b"\x44\x40\0\0\0\x01", b"\x44\x40\xff\xff\xff\xff"),
    ],
    ids=["boxes", "OBUs", "sequence headers", "extents", "counts"],
)
def test_a_file_of_many_parts_takes_no_time(data):
    began = time.thread_time()
    with pytest.raises(BrokenImage):
        decoded_pixels(data)
    assert time.thread_time() - began < 1


def test_extents_that_overlap_take_no_memory():
    large = Item((100, 80), SMALL.data + bytes(1_000_000), configuration=SMALL.configuration, parts=1000)
    data = bytearray(avif(large))
    extents = data.index(b"iloc") + 4 + 4 + 2 + 2 + 2 + 2 + 2 + 4 + 2
    for at in range(extents, extents + 8 * large.parts, 8):
        data[at : at + 8] = (0).to_bytes(4) + len(large.data).to_bytes(4)
    tracemalloc.start()
    with pytest.raises(BrokenImage):
        decoded_pixels(bytes(data))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


SOUND = [
    avif(av1((30, 20), parts=2), av1((30, 20), "L", is_alpha=True)),
    avif(of_grid(2, 1, (128, 64)), av1((64, 64)), av1((64, 64), is_in_idat=True), version=2),
    encode(flat((20, 30), mode="RGBA"), save_all=True, append_images=[flat((20, 30), "#0000ff", "RGBA")]),
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SOUND), st.data())
def test_any_damage_gives_a_number_or_an_image_error(sound, data):
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(0, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    with suppress(ImageError):
        assert decoded_pixels(damaged) > 0


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.booleans())
@example(b"", False)
@example(bytes(60), True)
def test_any_bits_of_headers_give_a_number_or_an_image_error(content, is_frame):
    units = [obu(SEQUENCE_HEADER, content), obu(FRAME_HEADER, content)]
    if is_frame:
        units = [obu(*unit) for unit in obus(first_sample(ANIMATION))[:2]] + [obu(FRAME, content)]
    with suppress(ImageError):
        assert decoded_pixels(avif(item(*units))) > 0
