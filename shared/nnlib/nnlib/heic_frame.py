"""How many pixels a HEIC is decoded to, told without decoding it.

What the file announces (the property "ispe") need not be true. The tiles and layers that a picture is put together from
may be larger than it, and used again and again; it may be turned a hundred times; the bitstream may bring its own
parameter sets; every slice may go on to the end of its picture; megabytes that show nothing may be part of every tile.
A file of 900 bytes can announce 64 x 64 pixels and take a minute, or gigabytes.

boxes -> items (types, extents, properties, references) -> from the primary one to what it is put together from -> their
HEVC units

Sources: ISO/IEC 14496-12, 8.11.12 (references); ISO/IEC 14496-15, 8.3.2 (hvcC, and units with their lengths);
ISO/IEC 23008-12, 6.5.3 (ispe), 6.6 (derived images), 9.3.2 (ipma).
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Self

from nnlib.bit_fields import Fields, Span, Unreadable
from nnlib.errors import BrokenImage
from nnlib.hevc_headers import MOST_BYTES_READ, HevcPicture
from nnlib.iso_media import IMAGES_AT_ONCE, Boxes, IsoMedia, only

MAX_COPIED_BYTES = 40_000_000
"""Of the pictures' bitstreams, and of what the file says about them: the reader copies it for each of them."""

_HELD_BYTES_OF_A_PIXEL = 6
"""Of frames: three samples of more than 8 bits, or two and a transparency. What is made of them takes up to 9 more."""

_TILES_AT_ONCE = 4  # as many threads decode them
_LEAST_PIXELS = 10_000  # for so many takes as long as it takes to begin with a picture
_MOST_STAGES = 20  # of pictures that are put together from others; there are two or three

_HEVC, _GRID, _OVERLAY, _IDENTITY = (int.from_bytes(letters) for letters in (b"hvc1", b"grid", b"iovl", b"iden"))
_CANVAS_STARTS = {_GRID: 16, _OVERLAY: 64}
_UNIT_LENGTH_BYTES = 4
_TRANSFORMATIONS = (b"clap", b"irot", b"imir")
_DESCRIBES, _IS_MADE_OF, _IS_AUXILIARY_TO = b"cdsc", b"dimg", b"auxl"


def decoded_pixels(data: bytes) -> int:
    """The pixels of the largest picture, or a quarter of those of all that are decoded, if that is more; or those of
    a photo that would take as much memory.

    Raises: BrokenImage, also if there is no picture or there are too many parts to follow.
    """
    try:
        return _HeicFile(data).decoded_pixels()
    except Unreadable:
        raise BrokenImage("the HEIC image is truncated or damaged") from None


@dataclass(frozen=True, slots=True)
class _Work:
    pixels: int
    bitstream_bytes: int
    held_bytes: int = 0
    earlier_bytes: int = 0

    def __add__(self, other: Self) -> "_Work":
        return _Work(
            self.pixels + other.pixels,
            self.bitstream_bytes + other.bitstream_bytes,
            self.held_bytes + other.held_bytes,
            self.earlier_bytes + other.earlier_bytes,
        )


class _HeicFile(IsoMedia):
    def __init__(self, data: bytes) -> None:
        """Raises: Unreadable."""
        super().__init__(data)
        start, end = _needed(self.top_boxes().get(b"meta"))
        meta = self.boxes((start + 4, end))
        self._primary = self._primary_item(_needed(only(meta, b"pitm")))
        self._types = self.item_types(_needed(only(meta, b"iinf")))
        self._extents = self.item_extents(_needed(only(meta, b"iloc")), only(meta, b"idat") or (0, 0))
        self._properties = self._item_properties(self.boxes(_needed(only(meta, b"iprp"))))
        self._parts: defaultdict[int, list[int]] = defaultdict(list)
        """Of each item those that are decoded for it."""
        self._copied_bytes = 0
        self._read_references(only(meta, b"iref"))
        self._largest = 0
        self._most_earlier_bytes = 0
        self._known: dict[int, _Work] = {}

    def decoded_pixels(self) -> int:
        for properties in self._properties.values():
            self._copied_bytes += sum(end - start for kind, (start, end) in properties if kind == b"colr")
        work = self._work(self._primary, stage=0)
        if self._copied_bytes + work.bitstream_bytes > MAX_COPIED_BYTES:
            raise Unreadable
        held_bytes = work.held_bytes + min(work.earlier_bytes, _TILES_AT_ONCE * self._most_earlier_bytes)
        return max(self._largest, work.pixels // IMAGES_AT_ONCE, held_bytes // _HELD_BYTES_OF_A_PIXEL)

    def _primary_item(self, span: Span) -> int:
        fields = Fields(self.data, span)
        version = fields.take(8)
        fields.skip(24)
        return fields.take(16 if version == 0 else 32)

    def _item_properties(self, boxes: Boxes) -> dict[int, Boxes]:
        known = self.boxes(_needed(only(boxes, b"ipco")))
        properties: dict[int, Boxes] = {}
        for kind, span in boxes:
            if kind != b"ipma":
                continue
            fields = Fields(self.data, span)
            version, flags = fields.take(8), fields.take(24)
            for _ in range(fields.take(32)):
                item = fields.take(16 if version == 0 else 32)
                here = properties.setdefault(item, [])
                for _ in range(fields.take(8)):
                    self.step()
                    fields.skip(1)
                    number = fields.take(15 if flags & 1 else 7)
                    if number > len(known):
                        raise Unreadable
                    if number:
                        here.append(known[number - 1])
        return properties

    def _read_references(self, span: Span | None) -> None:
        if span is None:
            return
        start, end = span
        id_bits = 16 if Fields(self.data, span).take(8) == 0 else 32
        for kind, reference in self.boxes((start + 4, end)):
            fields = Fields(self.data, reference)
            item = fields.take(id_bits)
            for _ in range(fields.take(16)):
                self.step()
                other = fields.take(id_bits)
                if kind == _IS_MADE_OF:
                    self._parts[item].append(other)
                elif kind == _IS_AUXILIARY_TO:
                    self._parts[other].append(item)
                elif kind == _DESCRIBES:
                    self._copied_bytes += sum(end - start for start, end in self._extents.get(item, ()))

    def _work(self, item: int, *, stage: int) -> "_Work":
        """Of the item and of all that is decoded for it, as often as it is."""
        known = self._known.get(item)
        if known is not None:
            return known
        self.step()
        if stage == _MOST_STAGES:  # or they are put together from one another
            raise Unreadable
        work = self._own_work(item)
        for part in self._parts[item]:
            work_of_part = self._work(part, stage=stage + 1)
            work += work_of_part
            if self._types.get(item) == _IDENTITY:  # it is turned once more, whatever size the item announces
                work += _Work(work_of_part.pixels, bitstream_bytes=0)
        self._known[item] = work
        return work

    def _own_bytes(self, item: int) -> int:
        """Of its bitstream, and of the units that are kept beside it."""
        configurations = [span for kind, span in self._properties.get(item, []) if kind == b"hvcC"]
        return sum(end - start for start, end in [*self._extents.get(item, ()), *configurations])

    def _own_work(self, item: int) -> "_Work":
        """Of all its slices, or of the one picture, if that is announced to be more."""
        kind, properties = self._types.get(item), self._properties.get(item, [])
        for transformation in _TRANSFORMATIONS:  # each takes some of the time that decoding does
            only(properties, transformation)
        largest = max((self._announced(span) for name, span in properties if name == b"ispe"), default=0)
        decoded = held_bytes = earlier_bytes = 0
        if (extents := self._extents.get(item)) is not None and kind in (_HEVC, _GRID, _OVERLAY):
            data, (start, end) = self.joined(extents)
            if kind == _HEVC:
                picture = self._hevc_picture(data, (start, end), properties)
                largest = max(largest, picture.pixels)
                decoded = picture.decoded_pixels
                held_bytes, earlier_bytes = picture.held_bytes, picture.earlier_bytes
            else:
                largest = max(largest, _canvas_pixels(data, (start, end), _CANVAS_STARTS[kind]))
        self._largest = max(self._largest, largest)
        self._most_earlier_bytes = max(self._most_earlier_bytes, earlier_bytes)
        return _Work(max(largest, decoded, _LEAST_PIXELS), self._own_bytes(item), held_bytes, earlier_bytes)

    def _announced(self, span: Span) -> int:
        fields = Fields(self.data, span)
        fields.skip(32)
        return fields.take(32) * fields.take(32)

    def _hevc_picture(self, data: bytes, span: Span, properties: Boxes) -> HevcPicture:
        picture = HevcPicture()
        for kind, configuration in properties:
            if kind == b"hvcC":
                self._add_configuration(picture, configuration)
        start, end = span
        while start < end:
            self.step()
            fields = Fields(data, (start, end))
            start += _UNIT_LENGTH_BYTES
            behind = start + fields.take(8 * _UNIT_LENGTH_BYTES)
            if behind > end:
                raise Unreadable
            picture.add(data[start : min(behind, start + MOST_BYTES_READ)])
            start = behind
        return picture

    def _add_configuration(self, picture: HevcPicture, span: Span) -> None:
        fields = Fields(self.data, span)
        fields.skip(8 * 21 + 6)
        if fields.take(2) + 1 != _UNIT_LENGTH_BYTES:
            raise Unreadable
        for _ in range(fields.take(8)):
            fields.skip(8)
            for _ in range(fields.take(16)):
                self.step()
                length = fields.take(16)
                read = min(length, MOST_BYTES_READ)
                picture.add(fields.take(8 * read).to_bytes(read))
                fields.skip(8 * (length - read))


def _canvas_pixels(data: bytes, span: Span, before_bits: int) -> int:
    fields = Fields(data, span)
    fields.skip(8)
    size_bits = 32 if fields.take(8) & 1 else 16
    fields.skip(before_bits)
    return fields.take(size_bits) * fields.take(size_bits)


def _needed(span: Span | None) -> Span:
    if span is None:
        raise Unreadable
    return span
