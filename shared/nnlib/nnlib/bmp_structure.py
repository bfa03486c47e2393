"""How much work a run-length coded BMP asks for: Pillow decodes these in Python, for ten seconds where all is flat.

What the picture's runs are is known only when it is decoded; how long that may take, from its size and the file's.

Source: the structures BITMAPFILEHEADER and BITMAPINFOHEADER of the Windows API.
"""

import struct

MAX_STEPS = 6_000_000
"""Of about 0.2 us: a second. A screenshot of 1920x1080 pixels takes two million for them, and four for its 2 MB."""

_RUN_LENGTH_CODES = {1, 2}
_OLDEST_HEADER_BYTES = 12  # it tells of no compression
_FIELDS = struct.Struct("<IIi4xI")
_FIELDS_START = 14
_STEPS_FOR_A_BYTE = 2  # measured: 0.25 to 0.5 us; for a pixel, 0.1 to 0.2 us where a line or a run is filled up


def is_laborious(data: bytes) -> bool:
    """Whether decoding this BMP may take more steps than there is time for."""
    if len(data) < _FIELDS_START + _FIELDS.size:
        return False
    width: int
    height: int  # below zero where the lines go from the top
    header_bytes, width, height, compression = _FIELDS.unpack_from(data, _FIELDS_START)
    if header_bytes == _OLDEST_HEADER_BYTES or compression not in _RUN_LENGTH_CODES:
        return False
    return width * abs(height) + _STEPS_FOR_A_BYTE * len(data) > MAX_STEPS
