"""How many pixels an AVIF is decoded to, told without decoding it.

What the file announces (the property "ispe", which Pillow gives as the size) need not be true: the decoder takes the
AV1 frames as they come and scales them to it. A file of three kilobytes can announce 64 x 64 pixels and hold a frame of
256 million.

boxes -> where the data of each image is (items, first samples of tracks) -> OBUs -> the frames' sizes

Sources: ISO/IEC 14496-12, 8.7 (sample tables); AV1 Image File Format 1.1 (which items and tracks hold AV1).
"""

from collections import Counter
from collections.abc import Iterator

from nnlib.av1_headers import SequenceHeaders, frames_of_obus
from nnlib.bit_fields import Fields, Span, Unreadable
from nnlib.errors import BrokenImage
from nnlib.iso_media import IMAGES_AT_ONCE, Boxes, IsoMedia, only

_AV1 = int.from_bytes(b"av01")

_MOST_SAMPLES = 100_000
"""Pictures of an animation. The decoder makes a list of them before it takes the first, with 140 bytes for each."""

_HELD_BYTES_OF_A_PIXEL = 8
"""Of frames: three samples of more than 8 bits, and a transparency. What is made of them takes as much again."""


def decoded_pixels(data: bytes) -> int:
    """The pixels of the largest frame, or a quarter of those of all frames, if that is more; or those of a photo that
    would take as much memory.

    A frame counts as the largest that it may be.

    Raises: BrokenImage, also if there are no frames or too many parts to follow.
    """
    try:
        return _AvifFile(data).decoded_pixels()
    except Unreadable:
        raise BrokenImage("the AVIF image is truncated or damaged") from None


class _AvifFile(IsoMedia):
    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._sequence_headers = SequenceHeaders()

    def decoded_pixels(self) -> int:
        top = self.top_boxes()
        sources = self._items(top.get(b"meta")), self._first_samples(top.get(b"moov"))  # the decoder takes one of them
        most = 0
        for images in sources:
            pixels = held_bytes = 0
            for extents, images_here in Counter(images).items():  # equal tiles may be stored once
                for frame_pixels, frame_bytes in self._frames(extents):
                    most = max(most, frame_pixels)
                    pixels += images_here * frame_pixels
                    held_bytes += images_here * frame_bytes
            most = max(most, pixels // IMAGES_AT_ONCE, held_bytes // _HELD_BYTES_OF_A_PIXEL)
        if not most:
            raise Unreadable
        return most

    def _items(self, meta: Span | None) -> Iterator[tuple[Span, ...]]:
        """The extents of each AV1 image: of the photo or its tiles, its transparency, a thumbnail."""
        if meta is None:
            return
        boxes = self.boxes((meta[0] + 4, meta[1]))
        information, locations = only(boxes, b"iinf"), only(boxes, b"iloc")
        if information is None or locations is None:
            return
        types = self.item_types(information)
        for item, extents in self.item_extents(locations, only(boxes, b"idat") or (0, 0)).items():
            if types.get(item) == _AV1 and extents:
                yield extents

    def _first_samples(self, movie: Span | None) -> Iterator[tuple[Span, ...]]:
        """The first picture of each AV1 track: of an animation, of its transparency."""
        if movie is None:
            return
        for kind, span in self.boxes(movie):
            if kind == b"trak" and (table := self._sample_table(span)) is not None:
                descriptions = only(table, b"stsd")
                if descriptions is not None and self._has_av1(descriptions):
                    yield (self._first_sample(table),)

    def _sample_table(self, track: Span) -> Boxes | None:
        boxes = self.boxes(track)
        for kind in (b"mdia", b"minf", b"stbl"):
            if (span := only(boxes, kind)) is None:
                return None
            boxes = self.boxes(span)
        return boxes

    def _has_av1(self, descriptions: Span) -> bool:
        start, end = descriptions
        return any(kind == b"av01" for kind, _ in self.boxes((start + 8, end)))

    def _first_sample(self, table: Boxes) -> Span:
        offsets, long_offsets, sizes = (only(table, kind) for kind in (b"stco", b"co64", b"stsz"))
        place = offsets or long_offsets
        if (offsets and long_offsets) or place is None or sizes is None:
            raise Unreadable
        fields = Fields(self.data, place)
        fields.skip(32)
        chunks = fields.take(32)
        start = fields.take(32 if offsets else 64)
        if chunks * self._most_samples_of_a_chunk(table) > _MOST_SAMPLES:
            raise Unreadable
        fields = Fields(self.data, sizes)
        fields.skip(32)
        size_of_all = fields.take(32)
        fields.skip(32)
        end = start + (size_of_all or fields.take(32))
        if end > len(self.data):
            raise Unreadable
        return start, end

    def _most_samples_of_a_chunk(self, table: Boxes) -> int:
        if (counts := only(table, b"stsc")) is None:
            return 0
        fields = Fields(self.data, counts)
        fields.skip(32)
        most = 0
        for _ in range(fields.take(32)):
            self.step()
            fields.skip(32)
            most = max(most, fields.take(32))
            fields.skip(32)
        return most

    def _frames(self, extents: tuple[Span, ...]) -> list[tuple[int, int]]:
        """The pixels and bytes of each frame of one image. Raises: Unreadable, if there is none."""
        data, span = self.joined(extents)
        frames = []
        for frame in frames_of_obus(data, span, self._sequence_headers):
            self.step()
            if frame[0]:
                frames.append(frame)
        if not frames:
            raise Unreadable
        return frames
