"""A HEIC is as large as what it is decoded from, whatever it announces; and every sound one is read."""

import struct
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlib import preprocessing
from nnlib.errors import BrokenImage, ImageError, TooManyPixels
from nnlib.heic_file import HeicFile
from nnlib.heic_frame import MAX_COPIED_BYTES, decoded_pixels
from nnlib.hevc_headers import MAX_PARAMETER_SETS
from nnlib.preprocessing import open_photo, preprocess

from shared.nnlib.tests.heic_parts import (
    COLOUR,
    Item,
    box,
    grey,
    heic_file,
    hevc,
    identity,
    in_stream,
    next_slice,
    of_grid,
    overlay,
    parameter_sets,
    slice_header,
    unit,
)

SMALL = hevc(grey(64, 64))
LARGE = hevc(grey(16, 16), coded=(16384, 16384))
LARGE_SETS = parameter_sets(16384, 16384)
MESSAGE = b"\x4e\x01" + bytes(4_000_000)
"""A unit for whoever shows the picture."""
OTHER_LAYER = 8  # the second byte of a unit's header is 1 for the only one


TURN = box(b"irot", b"\1")


def small(*units, sets=()):
    """A small picture, and units beside it: in its stream, or where its parameter sets are."""
    return Item((64, 64), SMALL.data + in_stream(*units), parameter_sets=(*SMALL.parameter_sets, *sets))


def in_slices(width, height, first_blocks, *, sets=()):
    """A picture whose first slice may be sound, and more that begin with these blocks."""
    later = [next_slice(width, height, block) for block in first_blocks]
    sets = (*parameter_sets(width, height), *sets)
    return heic_file(Item((width, height), SMALL.data + in_stream(*later), parameter_sets=sets))


def auxiliary(item, of):
    kind = box(b"auxC", bytes(4), b"urn:mpeg:hevc:2015:auxid:1\0")
    return Item(item.size, item.data, item.kind, item.parameter_sets, (COLOUR, kind), ((b"auxl", (of,)),))


def overlays_of_overlays(stages):
    """Two in each stage, of which each shows both of the next."""
    pairs = [overlay((64, 64), (2 * stage + 3, 2 * stage + 4)) for stage in range(stages) for _ in range(2)]
    return heic_file(*pairs, SMALL, SMALL)


def of_tiles(tile, count):
    return heic_file(of_grid(count, 1, (64 * count, 64), range(2, count + 2)), *[tile] * count)


def metadata(content, describes):
    return Item((64, 64), content, b"Exif", properties=(), references=((b"cdsc", describes),))


@pytest.fixture
def undecoded(monkeypatch):
    monkeypatch.setattr(HeicFile, "load", None)


@pytest.mark.parametrize(("width", "height"), [(128, 96), (304, 208)])
def test_a_sound_picture_is_as_large_as_it_says(width, height):
    assert decoded_pixels(heic_file(hevc(grey(width, height)))) == width * height


def test_a_picture_of_tiles_with_all_that_belongs_to_it_is_not_larger_than_the_photo():
    tiles = [hevc(grey(128, 128)) for _ in range(4)]
    beside = auxiliary(hevc(grey(256, 256)), of=1), metadata(bytes(1000), (1,))
    data = heic_file(of_grid(2, 2, (256, 256), (2, 3, 4, 5)), *tiles, *beside)
    assert decoded_pixels(data) == 256 * 256
    assert preprocess(data).width == 256


def test_the_decoder_believes_the_tile():
    tile = hevc(grey(128, 128))
    data = heic_file(of_grid(1, 1, (64, 64), (2,)), tile)
    assert preprocess(data).width == 64
    assert decoded_pixels(data) == 128 * 128


@pytest.mark.parametrize(
    "data",
    [
        heic_file(of_grid(1, 1, (64, 64), (2,)), LARGE),
        heic_file(of_grid(8, 8, (64, 64), range(2, 66)), *[hevc(grey(16, 16), coded=(2048, 2048))] * 64),
        heic_file(identity(of=2), LARGE),
        heic_file(SMALL, auxiliary(LARGE, of=1)),
        heic_file(of_grid(1, 1, (64, 64), (2,)), SMALL, auxiliary(LARGE, of=2)),
        heic_file(overlay((16384, 16384), (2,), announced=(64, 64)), SMALL),
        heic_file(small(*LARGE_SETS)),
        heic_file(small(sets=LARGE_SETS)),
        in_slices(1024, 1024, [1] * 200),
        in_slices(1024, 1024, range(1, 200)),
        in_slices(1024, 1024, [4095] * 200, sets=parameter_sets(1024, 1008)[1:2]),
        in_slices(1024, 1024, [4095] * 200, sets=parameter_sets(1024, 1024, tiles=True)[2:]),
        heic_file(Item((1024, 1024), SMALL.data + in_stream(*[next_slice(1024, 1024, 4095)] * 200),
                       parameter_sets=parameter_sets(1024, 1024, tiles=True))),
    ],
    ids=["tile", "tiles", "identity", "transparency", "of a tile", "canvas", "in the stream", "beside it",
         "slices in one place", "slices that overlap", "slices of two sizes", "slices of two layouts",
         "slices in tiles"],
)  # fmt: skip
def test_whatever_makes_it_large_is_too_many_pixels(data, undecoded):
    with pytest.raises(TooManyPixels):
        preprocess(data)


@pytest.mark.parametrize("slices", [2, 4, 8, 16])
def test_a_picture_in_slices_is_that_picture(slices):
    luma = grey(128, 256)
    sliced = preprocess(heic_file(hevc(luma, slices=slices)))
    np.testing.assert_array_equal(sliced.pixels, preprocess(heic_file(hevc(luma))).pixels)


def test_a_slice_counts_from_where_it_begins():
    data = heic_file(hevc(grey(128, 256), slices=16))
    assert decoded_pixels(data) == 128 * 256 // 16 * sum(range(1, 17)) // 4


def test_slices_do_not_make_a_photo_larger():
    width, height, slices = 8192, 6096, 6
    blocks = width * height // 16**2
    assert decoded_pixels(in_slices(width, height, range(blocks // slices, blocks, blocks // slices))) == width * height


def test_a_slice_of_nothing_takes_some_time():
    last = 256 * 256 // 16**2 - 1
    assert decoded_pixels(in_slices(256, 256, [last] * 10_000)) > 10_000 * 16**2


@pytest.mark.parametrize(("kind", "pictures"), [(1, 16), (21, 16), (19, 1), (20, 1)])
def test_earlier_pictures_that_are_missing_take_memory_for_those_that_may_name_them(kind, pictures):
    data = in_stream(unit(kind, slice_header().bytes()))
    photo = Item((1024, 1024), data, parameter_sets=parameter_sets(1024, 1024, earlier=14))
    assert decoded_pixels(heic_file(photo)) == 1024 * 1024 * max(1, pictures * 1.5 / 6)


def test_earlier_pictures_go_with_their_tile():
    tile = Item(
        (512, 512), in_stream(unit(21, slice_header().bytes())), parameter_sets=parameter_sets(512, 512, earlier=5)
    )
    data = heic_file(of_grid(16, 12, (8192, 6096), range(2, 194)), *[tile] * 192)
    assert decoded_pixels(data) == 8192 * 6096


@pytest.mark.parametrize(("chroma", "bits", "bytes_of_a_pixel"), [(0, 8, 1), (1, 12, 3), (2, 8, 2), (3, 10, 6)])
def test_more_and_deeper_samples_take_memory(chroma, bits, bytes_of_a_pixel):
    photo = Item((1024, 1024), SMALL.data, parameter_sets=parameter_sets(1024, 1024, chroma=chroma, bits=bits))
    data = heic_file(overlay((64, 64), range(2, 9)), *[photo] * 7)
    assert decoded_pixels(data) == pytest.approx(1024 * 1024 * max(7 / 4, 7 * bytes_of_a_pixel / 6), rel=0.01)


def test_a_picture_counts_again_for_each_that_turns_it():
    identities = [Item((64, 64), kind=b"iden", properties=(TURN,), references=((b"dimg", (n,)),)) for n in (2, 3, 4)]
    assert decoded_pixels(heic_file(*identities, hevc(grey(512, 256)))) // (512 * 256) == 8 // 4


def test_a_picture_may_be_cut_turned_and_mirrored():
    part = box(b"clap", struct.pack(">IIIIiIiI", 48, 1, 32, 1, 0, 1, 0, 1))
    picture = preprocess(heic_file(hevc(grey(64, 64), properties=(COLOUR, part, TURN, box(b"imir", b"\0")))))
    assert (picture.width, picture.height) == (32, 48)


def test_what_is_not_decoded_for_the_photo_may_be_large():
    assert decoded_pixels(heic_file(SMALL, LARGE)) == 64 * 64


def test_another_layer_is_passed_over():
    sets = (bytes([content[0], OTHER_LAYER | 1]) + content[2:] for content in LARGE_SETS)
    data = heic_file(small(*sets))
    assert decoded_pixels(data) == 64 * 64
    assert preprocess(data).width == 64


@pytest.mark.parametrize(("tile", "is_huge"), [(4096, True), (1024, False)])
def test_a_photo_is_huge_by_its_tile(tile, is_huge):
    data = heic_file(of_grid(1, 1, (64, 64), (2,)), hevc(grey(16, 16), coded=(tile, tile)))
    assert open_photo(data).is_huge == is_huge == (decoded_pixels(data) > preprocessing.HUGE_PIXELS)


@pytest.mark.parametrize(
    "data",
    [
        heic_file(small(*[b"\x4e\x01"] * 1_000_000)),
        heic_file(small(*SMALL.parameter_sets * MAX_PARAMETER_SETS)),
        heic_file(*(identity(of=number + 1) for number in range(1, 200)), SMALL),
        heic_file(identity(of=2), identity(of=1)),
        heic_file(SMALL, metadata(bytes(MAX_COPIED_BYTES // 20), (1,) * 30)),
        heic_file(*[Item((64, 64), SMALL.data, parameter_sets=SMALL.parameter_sets,
                         properties=(box(b"colr", b"prof", bytes(MAX_COPIED_BYTES // 20)),))] * 30),
        of_tiles(small(MESSAGE), 150),
        of_tiles(small(sets=[MESSAGE[: 2**16 - 1]] * 60), 150),
        overlays_of_overlays(15),
        heic_file(hevc(grey(64, 64), properties=(COLOUR, TURN, TURN))),
        heic_file(SMALL) + box(b"free") * 1_000_000,
    ],
    ids=["units", "parameter sets", "stages", "a circle", "metadata", "colour profiles", "messages to all tiles",
         "messages beside all tiles", "overlays", "turns", "boxes"],
)  # fmt: skip
def test_too_many_parts_are_refused_at_once(data):
    began = time.thread_time()
    with pytest.raises(BrokenImage, match=r"^the HEIC image is truncated or damaged$"):
        preprocess(data)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("kind", [b"meta", b"pitm", b"iinf", b"iloc", b"iprp", b"ipco"])
def test_what_cannot_be_followed_is_broken(kind):
    with pytest.raises(BrokenImage):
        decoded_pixels(heic_file(SMALL).replace(kind, b"free"))


def test_an_item_that_is_told_of_twice_is_broken():
    data = heic_file(SMALL, SMALL)
    entry = struct.pack(">IHH4s", 2 << 24, 2, 0, b"hvc1")
    assert entry in data
    with pytest.raises(BrokenImage):
        decoded_pixels(data.replace(entry, struct.pack(">IHH4s", 2 << 24, 1, 0, b"hvc1")))


SOUND = [
    heic_file(SMALL, metadata(bytes(30), (1,))),
    heic_file(of_grid(2, 1, (128, 64), (2, 3)), SMALL, SMALL, auxiliary(SMALL, of=2)),
    heic_file(overlay((64, 64), (2, 3)), SMALL, identity(of=2)),
    heic_file(hevc(grey(64, 64), slices=4)),
]


DAMAGE = st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 255)), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SOUND), DAMAGE, st.integers(0, 1_000) | st.none())
def test_any_damage_gives_a_number_or_an_image_error(sound, damage, length):
    damaged = bytearray(sound)
    for position, value in damage:
        damaged[position % len(damaged)] = value
    with suppress(ImageError):
        assert decoded_pixels(bytes(damaged[:length])) >= 0
