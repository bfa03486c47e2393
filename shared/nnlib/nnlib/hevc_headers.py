"""What an HEVC bitstream asks of its decoder, told from the headers of its units.

Source: ITU-T H.265, 7.3.1 (units), 7.3.2.2 and 7.3.3 (sequence parameter set), 7.3.2.3 (picture parameter set), 7.3.6.1
(head of a slice), 9.2 (numbers of variable length).
"""

from dataclasses import dataclass
from typing import Self

from nnlib.bit_fields import Fields, Unreadable

MAX_PARAMETER_SETS = 10
"""For one picture: there are three. From each the decoder makes tables for all of it."""

MOST_BYTES_READ = 256
"""Of a unit: no parameter set takes more for what is read of it."""

_SLICE_COSTS_PIXELS = 2000  # to begin with it, where many are short: up to 50 us

_UNIT_HEADER_BYTES = 2
_FIRST_BEYOND_SLICES = 32
_SEQUENCE_PARAMETER_SET, _PICTURE_PARAMETER_SET = 33, 34
_PARAMETER_SETS = range(32, 35)
_BEGINNING_SLICES = range(16, 24)  # of pictures that can be decoded without earlier ones
_SLICES_WITHOUT_REFERENCES = (19, 20)  # all others may name earlier pictures, those above too
_MOST_ZEROS = 32
_PROFILE_BITS, _LEVEL_BITS = 88, 8
_MOST_SUB_LAYERS = 8
_SEPARATE_PLANES_ARE_TOLD = 3
_SAMPLES_OF_TWO_PIXELS = (2, 3, 4, 6)  # by the format of the chroma: none, a quarter, a half, all
_MOST_EARLIER_PICTURES = 16


class HevcPicture:
    """Made of one unit after the other, those that the decoder is given beside the picture first.

    ``pixels``: the most that any of its parameter sets says.
    ``decoded_pixels``: those of all its slices. Each may go on from where it begins to the end of the picture,
    whichever part of it the next one begins with.
    ``held_bytes``: those of all its pictures as they are decoded.
    ``earlier_bytes``: those of the earlier pictures that they may name: where these are missing, the decoder makes them
    up.
    """

    def __init__(self) -> None:
        self.pixels = 0
        self.decoded_pixels = 0
        self.held_bytes = 0
        self.earlier_bytes = 0
        self._parameter_sets = 0
        self._sequences: set[_Sequence] = set()
        self._layouts: set[_Layout] = set()

    def add(self, unit: bytes) -> None:
        """Raises: Unreadable."""
        if len(unit) < _UNIT_HEADER_BYTES:
            raise Unreadable
        kind, layer = unit[0] >> 1 & 0x3F, (unit[0] & 1) << 5 | unit[1] >> 3
        if layer:  # of another view or a finer picture, which the decoder passes over
            return
        if kind < _FIRST_BEYOND_SLICES:
            self.decoded_pixels += max(self._pixels_from(unit, kind), _SLICE_COSTS_PIXELS)
            if _content(unit).take(1):  # a new picture
                self.held_bytes += max((known.picture_bytes for known in self._sequences), default=0)
                if kind not in _SLICES_WITHOUT_REFERENCES:
                    self.earlier_bytes += max((known.earlier_bytes for known in self._sequences), default=0)
        elif kind in _PARAMETER_SETS:
            self._parameter_sets += 1
            if self._parameter_sets > MAX_PARAMETER_SETS:
                raise Unreadable
            if kind == _SEQUENCE_PARAMETER_SET:
                sequence = _Sequence.read(unit)
                self._sequences.add(sequence)
                self.pixels = max(self.pixels, sequence.pixels)
            elif kind == _PICTURE_PARAMETER_SET:
                self._layouts.add(_Layout.read(unit))

    def _pixels_from(self, slice_unit: bytes, kind: int) -> int:
        """From the block that a slice begins with to the end of the picture."""
        if len(self._sequences) != 1 or len(self._layouts) != 1:  # which of them it follows is not looked up
            return self.pixels
        (sequence,), (layout,) = self._sequences, self._layouts
        fields = _content(slice_unit)
        if fields.take(1) or layout.has_tiles:  # the first; in tiles a later block need not be a later address
            return self.pixels
        fields.skip(kind in _BEGINNING_SLICES)
        _variable_length(fields)
        fields.skip(layout.tells_dependence)
        address = fields.take((sequence.blocks - 1).bit_length())
        return sequence.pixels * (sequence.blocks - address) // sequence.blocks


@dataclass(frozen=True, slots=True)
class _Sequence:
    """``blocks``: those that addresses count (coding tree blocks)."""

    pixels: int
    blocks: int
    picture_bytes: int
    earlier_bytes: int

    @classmethod
    def read(cls, unit: bytes) -> Self:
        """Raises: Unreadable."""
        fields = _content(unit)
        fields.skip(4)
        sub_layers = fields.take(3)
        fields.skip(1 + _PROFILE_BITS + _LEVEL_BITS)
        if sub_layers:
            told = [(fields.take(1), fields.take(1)) for _ in range(sub_layers)]
            fields.skip(2 * (_MOST_SUB_LAYERS - sub_layers))
            fields.skip(sum(_PROFILE_BITS * has_profile + _LEVEL_BITS * has_level for has_profile, has_level in told))
        _variable_length(fields)
        chroma = _variable_length(fields)
        if chroma == _SEPARATE_PLANES_ARE_TOLD:
            fields.skip(1)
        width, height = _variable_length(fields), _variable_length(fields)
        pixels = width * height
        if not pixels or chroma >= len(_SAMPLES_OF_TWO_PIXELS):
            raise Unreadable
        _variable_lengths(fields, 4 * fields.take(1))  # what is cut off on each side
        is_deep = _variable_length(fields) + _variable_length(fields) > 0
        _variable_length(fields)
        earlier = 1
        for _ in range(sub_layers + 1 if fields.take(1) else 1):
            earlier = max(earlier, _variable_length(fields) + 1)
            _variable_lengths(fields, 2)
        side_bits = 3 + _variable_length(fields) + _variable_length(fields)
        blocks = -(-width >> side_bits) * -(-height >> side_bits)
        picture_bytes = pixels * _SAMPLES_OF_TWO_PIXELS[chroma] // 2 * (2 if is_deep else 1)
        return cls(pixels, blocks, picture_bytes, picture_bytes * min(earlier, _MOST_EARLIER_PICTURES))


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a picture parameter set says of slices."""

    tells_dependence: bool
    has_tiles: bool

    @classmethod
    def read(cls, unit: bytes) -> Self:
        """Raises: Unreadable."""
        fields = _content(unit)
        _variable_lengths(fields, 2)
        tells_dependence = bool(fields.take(1))
        fields.skip(6)
        _variable_lengths(fields, 3)
        fields.skip(2)
        _variable_lengths(fields, fields.take(1))
        _variable_lengths(fields, 2)
        fields.skip(4)
        return cls(tells_dependence, has_tiles=bool(fields.take(1)))


def _content(unit: bytes) -> Fields:
    content = unit[:MOST_BYTES_READ].replace(b"\0\0\3", b"\0\0")  # the third only parts zeros
    return Fields(content, (_UNIT_HEADER_BYTES, len(content)))


def _variable_lengths(fields: Fields, count: int) -> None:
    for _ in range(count):
        _variable_length(fields)


def _variable_length(fields: Fields) -> int:
    """9.2: zeros, a one, and as many bits as there were zeros."""
    for zeros in range(_MOST_ZEROS):
        if fields.take(1):
            return (1 << zeros) - 1 + fields.take(zeros)
    raise Unreadable
