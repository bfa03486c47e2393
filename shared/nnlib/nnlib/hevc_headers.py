"""What an HEVC bitstream asks of its decoder, told from the headers of its units.

Source: ITU-T H.265, 7.3.1 (units), 7.3.2.2 and 7.3.3 (sequence parameter set), 9.2 (numbers of variable length).
"""

from nnlib.bit_fields import Fields, Unreadable

MAX_PARAMETER_SETS = 10
"""For one picture: there are three. From each the decoder makes tables for all of it."""

MOST_BYTES_READ = 256
"""Of a unit: no sequence parameter set takes more before its size."""

_UNIT_HEADER_BYTES = 2
_FIRST_BEYOND_SLICES = 32
_SEQUENCE_PARAMETER_SET = 33
_PARAMETER_SETS = range(32, 35)
_MOST_ZEROS = 32
_PROFILE_BITS, _LEVEL_BITS = 88, 8
_MOST_SUB_LAYERS = 8
_SEPARATE_PLANES_ARE_TOLD = 3


class HevcPicture:
    """Made of one unit after the other, those that the decoder is given beside the picture first.

    ``pixels``: the most that any of its parameter sets says.
    ``slices``: each may go on to the end of the picture, whichever part of it the next one begins with.
    """

    def __init__(self) -> None:
        self.pixels = 0
        self.slices = 0
        self._parameter_sets = 0

    def add(self, unit: bytes) -> None:
        """Raises: Unreadable."""
        if len(unit) < _UNIT_HEADER_BYTES:
            raise Unreadable
        kind, layer = unit[0] >> 1 & 0x3F, (unit[0] & 1) << 5 | unit[1] >> 3
        if layer:  # of another view or a finer picture, which the decoder passes over
            return
        if kind < _FIRST_BEYOND_SLICES:
            self.slices += 1
        elif kind in _PARAMETER_SETS:
            self._parameter_sets += 1
            if self._parameter_sets > MAX_PARAMETER_SETS:
                raise Unreadable
            if kind == _SEQUENCE_PARAMETER_SET:
                self.pixels = max(self.pixels, _sequence_pixels(unit))


def _sequence_pixels(unit: bytes) -> int:
    content = unit[_UNIT_HEADER_BYTES:MOST_BYTES_READ].replace(b"\0\0\3", b"\0\0")  # the third only parts zeros
    fields = Fields(content, (0, len(content)))
    fields.skip(4)
    sub_layers = fields.take(3)
    fields.skip(1 + _PROFILE_BITS + _LEVEL_BITS)
    if sub_layers:
        told = [(fields.take(1), fields.take(1)) for _ in range(sub_layers)]
        fields.skip(2 * (_MOST_SUB_LAYERS - sub_layers))
        fields.skip(sum(_PROFILE_BITS * has_profile + _LEVEL_BITS * has_level for has_profile, has_level in told))
    _variable_length(fields)
    if _variable_length(fields) == _SEPARATE_PLANES_ARE_TOLD:
        fields.skip(1)
    return _variable_length(fields) * _variable_length(fields)


def _variable_length(fields: Fields) -> int:
    """9.2: zeros, a one, and as many bits as there were zeros."""
    for zeros in range(_MOST_ZEROS):
        if fields.take(1):
            return (1 << zeros) - 1 + fields.take(zeros)
    raise Unreadable
