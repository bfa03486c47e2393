"""The boxes of AVIF and HEIC files: which items there are, and where in the file each of them is.

Sources: ISO/IEC 14496-12, 4.2 (boxes), 8.11 (items).
"""

from nnlib.bit_fields import Fields, Span, Unreadable

MAX_STEPS = 20_000
"""Boxes, items, extents and pieces of a bitstream: a photo has about twenty, a grid six for each of its tiles."""

IMAGES_AT_ONCE = 4
"""So often a file may hold, or ask for, the pixels of its photo: as tiles and as their whole, in slices, as drafts,
and as transparency, depth, gain map and thumbnails."""

Boxes = list[tuple[bytes, Span]]
"""The kind of each box, and where its content is."""

_ITEM_ID_BITS = {2: 16, 3: 32}  # by the version of an item's entry; earlier ones do not tell what the item is


class IsoMedia:
    """A file of boxes, followed for as many steps as there are in any sound one.

    All methods raise Unreadable.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._steps_left = MAX_STEPS
        self._joined_bytes_left = len(data)

    def step(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise Unreadable

    def top_boxes(self) -> dict[bytes, Span]:
        """The first of each kind: decoders stop at that."""
        top: dict[bytes, Span] = {}
        for kind, span in self.boxes((0, len(self.data)), is_top=True):
            top.setdefault(kind, span)
        return top

    def boxes(self, span: Span, *, is_top: bool = False) -> Boxes:
        """Behind the last one on top there may be anything."""
        data, (start, end) = self.data, span
        boxes = []
        while start < end:
            self.step()
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
                raise Unreadable
            boxes.append((data[start + 4 : start + 8], (start + head_bytes, start + size)))
            start += size
        return boxes

    def item_types(self, information: Span) -> dict[int, int]:
        """Of each item, by its number, the four letters of its type as one number."""
        start, end = information
        version = Fields(self.data, information).take(8)
        types = {}
        for _, span in self.boxes((start + (6 if version == 0 else 8), end)):
            entry = Fields(self.data, span)
            version = entry.take(8)
            if version not in _ITEM_ID_BITS:
                raise Unreadable
            entry.skip(24)
            item = entry.take(_ITEM_ID_BITS[version])
            if item in types:
                raise Unreadable
            entry.skip(16)
            types[item] = entry.take(32)
        return types

    def item_extents(self, locations: Span, item_data: Span) -> dict[int, tuple[Span, ...]]:
        """The extents of each item, which are told from the start of the file or of the box for small items."""
        fields = Fields(self.data, locations)
        version = fields.take(8)
        fields.skip(24)
        offset_bits, length_bits, base_bits, index_bits = (8 * fields.take(4) for _ in range(4))
        id_bits = 32 if version == 2 else 16
        places = (0, len(self.data)), item_data
        items = {}
        for _ in range(fields.take(id_bits)):
            self.step()
            item = fields.take(id_bits)
            method = fields.take(16) if version > 0 else 0
            if item in items or method >= len(places):
                raise Unreadable
            place_start, place_end = places[method]
            fields.skip(16)
            base = place_start + fields.take(base_bits)
            extents = []
            for _ in range(fields.take(16)):
                self.step()
                if version > 0:
                    fields.skip(index_bits)
                start = base + fields.take(offset_bits)
                end = start + fields.take(length_bits)
                if end > place_end:
                    raise Unreadable
                extents.append((start, end))
            items[item] = tuple(extents)
        return items

    def joined(self, extents: tuple[Span, ...]) -> tuple[bytes, Span]:
        """Bytes, and where in them the extents are in one piece."""
        if len(extents) == 1:
            return self.data, extents[0]
        self._joined_bytes_left -= sum(end - start for start, end in extents)
        if self._joined_bytes_left < 0:  # they overlap
            raise Unreadable
        data = b"".join(self.data[start:end] for start, end in extents)
        return data, (0, len(data))


def only(boxes: Boxes, kind: bytes) -> Span | None:
    """Where the box of this kind is. Raises: Unreadable, if there are two, of which a reader may take either."""
    spans = [span for box_kind, span in boxes if box_kind == kind]
    if len(spans) > 1:
        raise Unreadable
    return spans[0] if spans else None
