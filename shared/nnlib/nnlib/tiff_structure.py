"""How a TIFF is laid out, told from its first directory: what it asks for beside its pixels, and in tiles.

A directory lists tags; a tag holds a list of numbers or bytes, or says where in the file that is. A small file can cut
its picture into a million strips, let a thousand tags share the same megabytes, or keep 64x64 pixels in a tile of a
thousand millions.

Source: TIFF, revision 6.0, sections 2 (directories), 8 (the tags) and 15 (tiles); the BigTIFF design, in which
positions and counts take 8 bytes.
"""

import struct
from dataclasses import dataclass
from typing import Self

MAX_TAGS = 1000
"""Of the first directory. A raw photo of a camera has about a hundred."""

MAX_PARTS = 40_000
"""Strips or tiles. Strips of 8 KB, as the standard recommends them, are 36,622 for 50 million pixels of 48 bits."""

_IMAGE_WIDTH, _IMAGE_LENGTH = 256, 257
_STRIP_OFFSETS, _STRIP_BYTE_COUNTS = 273, 279
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTE_COUNTS = 322, 323, 324, 325
_PARTS = {_STRIP_OFFSETS, _STRIP_BYTE_COUNTS, _TILE_OFFSETS, _TILE_BYTE_COUNTS}
_BASELINE = range(254, 533)
_XMP, _COLOUR_PROFILE = 700, 34675

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_STRINGS = {1, 2, 7}
"""Types of which a reader makes one object, not one for each value."""


@dataclass(frozen=True, slots=True)
class _Tag:
    """``content`` is None where the file ends before it."""

    number: int
    type: int
    count: int
    content: memoryview | None

    @property
    def is_long_list(self) -> bool:
        """Whether readers make more objects of it than of the strips of any sound picture."""
        if self.count <= MAX_PARTS:
            return False
        is_read = self.number in _BASELINE or self.number in (_XMP, _COLOUR_PROFILE)
        return self.number in _PARTS or (is_read and self.type not in _STRINGS)


@dataclass(frozen=True, slots=True)
class TiffStructure:
    """Units: tile_pixels of one tile, 0 where the picture is in strips."""

    is_laborious: bool
    is_whole: bool
    """The directory, not what it tells of: all of it is there, and a picture's size and parts are among its tags."""
    tile_pixels: int

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Of any bytes that begin like a TIFF."""
        announced, tags = _first_directory(data)
        if announced > MAX_TAGS:
            return cls(is_laborious=True, is_whole=False, tile_pixels=0)
        contents = [tag.content for tag in tags if tag.content is not None]
        numbers = {tag.number for tag in tags}
        return cls(
            # More than the file has: tags share what they hold, and some reader makes copies of it.
            is_laborious=sum(map(len, contents)) > len(data) or any(tag.is_long_list for tag in tags),
            is_whole=(
                len(contents) == announced
                and {_IMAGE_WIDTH, _IMAGE_LENGTH} <= numbers
                and not numbers.isdisjoint({_STRIP_OFFSETS, _TILE_OFFSETS})
            ),
            tile_pixels=_largest(data, tags, _TILE_WIDTH) * _largest(data, tags, _TILE_LENGTH),
        )


def _first_directory(data: bytes) -> tuple[int, list[_Tag]]:
    """How many tags it announces, and those that are there, if they are not too many."""
    order = _order(data)
    is_big = data[2:4] in (b"+\0", b"\0+")
    wide = 8 if is_big else 4
    counter = 8 if is_big else 2
    entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))
    start = _number(data[wide : 2 * wide], order)
    if not start:
        return 0, []
    announced = _number(data[start : start + counter], order)
    start += counter
    if announced > MAX_TAGS:
        return announced, []
    table = data[start : start + announced * entry.size]
    table = table[: len(table) // entry.size * entry.size]
    view = memoryview(data)
    tags = []
    for number, kind, count, field in entry.iter_unpack(table):
        size = count * _TYPE_BYTES.get(kind, 1)
        content = memoryview(field)[:size]
        if size > wide:
            position = _number(field, order)
            content = view[position : position + size]
        tags.append(_Tag(number, kind, count, content if len(content) == size else None))
    return announced, tags


def _order(data: bytes) -> str:
    return "<" if data.startswith(b"II") else ">"


def _number(field: bytes | memoryview, order: str) -> int:
    return int.from_bytes(field, "little" if order == "<" else "big")


def _largest(data: bytes, tags: list[_Tag], number: int) -> int:
    """The value of a tag that holds one. Of several with the same number readers take this one or that."""
    order = _order(data)
    values = (tag.content for tag in tags if tag.number == number and tag.count == 1)
    return max((_number(value, order) for value in values if value is not None), default=0)
