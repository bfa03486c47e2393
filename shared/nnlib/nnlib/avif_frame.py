"""How many pixels an AVIF is decoded to, told without decoding it.

What the file announces (the property "ispe", which Pillow gives as the size) need not be true: the decoder takes the
AV1 frames as they come and scales them to it. A file of three kilobytes can announce 64 x 64 pixels and hold a frame of
256 million.

boxes -> where the data of each image is (items, first samples of tracks) -> OBUs -> the frames' sizes

Sources: ISO/IEC 14496-12, 4.2 (boxes), 8.7 (sample tables), 8.11 (items); AV1 Image File Format 1.1 (which items and
tracks hold AV1).
"""

from collections import Counter
from collections.abc import Iterator

from nnlib.av1_headers import Fields, SequenceHeaders, Span, broken, pixels_of_obus

MAX_STEPS = 20_000
"""Boxes, items, extents and OBUs: a photo has about twenty, a grid six for each of its tiles."""

IMAGES_AT_ONCE = 4
"""So often a file may hold the pixels of its photo: as itself, transparency, gain map, thumbnails and first drafts."""

_ITEM_ID_BITS = {2: 16, 3: 32}  # by the version of an item's entry; earlier ones do not tell what the item is
_AV1 = int.from_bytes(b"av01")

_Boxes = list[tuple[bytes, Span]]
"""The kind of each box, and where its content is."""


def decoded_pixels(data: bytes) -> int:
    """The pixels of the largest frame, or a quarter of those of all frames, if that is more.

    A frame counts as the largest that it may be.

    Raises: BrokenImage, also if there are no frames or too many parts to follow.
    """
    return _AvifFile(data).decoded_pixels()


class _AvifFile:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._steps_left = MAX_STEPS
        self._joined_bytes_left = len(data)
        self._sequence_headers = SequenceHeaders()

    def decoded_pixels(self) -> int:
        top: dict[bytes, Span] = {}
        for kind, span in self._boxes((0, len(self._data)), is_top=True):
            top.setdefault(kind, span)  # the decoder stops at the first of each that it needs
        sources = self._items(top.get(b"meta")), self._first_samples(top.get(b"moov"))  # it takes one of them
        most = 0
        for images in sources:
            pixels = 0
            for extents, images_here in Counter(images).items():  # equal tiles may be stored once
                frames = self._frames(extents)
                most = max(most, *frames)
                pixels += images_here * sum(frames)
            most = max(most, pixels // IMAGES_AT_ONCE)
        if not most:
            raise broken()
        return most

    def _step(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise broken()

    def _boxes(self, span: Span, *, is_top: bool = False) -> _Boxes:
        """Behind the last one on top there may be anything."""
        data, (start, end) = self._data, span
        boxes = []
        while start < end:
            self._step()
            head_bytes = 8
            size = int.from_bytes(data[start : start + 4])
            if size == 1:
                head_bytes = 16
                size = int.from_bytes(data[start + 8 : start + 16])
            elif size == 0 and is_top:
                size = end - start
            if not head_bytes <= size <= end - start:
                if is_top:
                    break
                raise broken()
            boxes.append((data[start + 4 : start + 8], (start + head_bytes, start + size)))
            start += size
        return boxes

    def _items(self, meta: Span | None) -> Iterator[tuple[Span, ...]]:
        """The extents of each AV1 image: of the photo or its tiles, its transparency, a thumbnail."""
        if meta is None:
            return
        boxes = self._boxes((meta[0] + 4, meta[1]))
        information, locations = _only(boxes, b"iinf"), _only(boxes, b"iloc")
        if information is None or locations is None:
            return
        av1_items = self._av1_items(information)
        for item, extents in self._locations(locations, _only(boxes, b"idat") or (0, 0)).items():
            if item in av1_items and extents:
                yield extents

    def _av1_items(self, information: Span) -> set[int]:
        start, end = information
        version = Fields(self._data, information).take(8)
        items = set()
        for _, span in self._boxes((start + (6 if version == 0 else 8), end)):
            entry = Fields(self._data, span)
            version = entry.take(8)
            if version not in _ITEM_ID_BITS:
                raise broken()
            entry.skip(24)
            item = entry.take(_ITEM_ID_BITS[version])
            entry.skip(16)
            if entry.take(32) == _AV1:
                items.add(item)
        return items

    def _locations(self, locations: Span, item_data: Span) -> dict[int, tuple[Span, ...]]:
        """The extents of each item, which are told from the start of the file or of the box for small items."""
        fields = Fields(self._data, locations)
        version = fields.take(8)
        fields.skip(24)
        offset_bits, length_bits, base_bits, index_bits = (8 * fields.take(4) for _ in range(4))
        id_bits = 32 if version == 2 else 16
        places = (0, len(self._data)), item_data
        items = {}
        for _ in range(fields.take(id_bits)):
            self._step()
            item = fields.take(id_bits)
            method = fields.take(16) if version > 0 else 0
            if item in items or method >= len(places):
                raise broken()
            place_start, place_end = places[method]
            fields.skip(16)
            base = place_start + fields.take(base_bits)
            extents = []
            for _ in range(fields.take(16)):
                self._step()
                if version > 0:
                    fields.skip(index_bits)
                start = base + fields.take(offset_bits)
                end = start + fields.take(length_bits)
                if end > place_end:
                    raise broken()
                extents.append((start, end))
            items[item] = tuple(extents)
        return items

    def _first_samples(self, movie: Span | None) -> Iterator[tuple[Span, ...]]:
        """The first picture of each AV1 track: of an animation, of its transparency."""
        if movie is None:
            return
        for kind, span in self._boxes(movie):
            if kind == b"trak" and (table := self._sample_table(span)) is not None:
                descriptions = _only(table, b"stsd")
                if descriptions is not None and self._has_av1(descriptions):
                    yield (self._first_sample(table),)

    def _sample_table(self, track: Span) -> _Boxes | None:
        boxes = self._boxes(track)
        for kind in (b"mdia", b"minf", b"stbl"):
            if (span := _only(boxes, kind)) is None:
                return None
            boxes = self._boxes(span)
        return boxes

    def _has_av1(self, descriptions: Span) -> bool:
        start, end = descriptions
        return any(kind == b"av01" for kind, _ in self._boxes((start + 8, end)))

    def _first_sample(self, table: _Boxes) -> Span:
        offsets, long_offsets, sizes = (_only(table, kind) for kind in (b"stco", b"co64", b"stsz"))
        place = offsets or long_offsets
        if (offsets and long_offsets) or place is None or sizes is None:
            raise broken()
        fields = Fields(self._data, place)
        fields.skip(32 + 32)
        start = fields.take(32 if offsets else 64)
        fields = Fields(self._data, sizes)
        fields.skip(32)
        size_of_all = fields.take(32)
        fields.skip(32)
        end = start + (size_of_all or fields.take(32))
        if end > len(self._data):
            raise broken()
        return start, end

    def _frames(self, extents: tuple[Span, ...]) -> list[int]:
        """The pixels of each frame of one image. Raises: BrokenImage, if there is none."""
        data, span = self._data, extents[0]
        if len(extents) > 1:
            self._joined_bytes_left -= sum(end - start for start, end in extents)
            if self._joined_bytes_left < 0:  # they overlap
                raise broken()
            data = b"".join(data[start:end] for start, end in extents)
            span = 0, len(data)
        frames = []
        for pixels in pixels_of_obus(data, span, self._sequence_headers):
            self._step()
            if pixels:
                frames.append(pixels)
        if not frames:
            raise broken()
        return frames


def _only(boxes: _Boxes, kind: bytes) -> Span | None:
    """Where the box of this kind is. Raises: BrokenImage, if there are two, of which a reader may take either."""
    spans = [span for box_kind, span in boxes if box_kind == kind]
    if len(spans) > 1:
        raise broken()
    return spans[0] if spans else None
