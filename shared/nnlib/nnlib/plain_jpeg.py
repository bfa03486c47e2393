"""JPEGs whose header says nothing but how the picture is coded: most that are not straight from a camera.

Pillow reads every marker and makes objects of what it finds, which takes longer than decoding a small picture. Here
only the frame is looked up; the decoder, which reads the header for itself, is Pillow's all the same.

Source: ITU-T T.81, annex B (markers).
"""

from dataclasses import dataclass
from typing import Self

from PIL import Image

_MAX_SEGMENTS = 50
_MODES = {1: "L", 3: "RGB"}
"""By the number of components. Four are CMYK, in one of two ways."""
_START_OF_SCAN = 0xDA
_PROGRESSIVE = 0xC2
_FRAMES = {0xC0, 0xC1, _PROGRESSIVE}  # baseline, extended and progressive, in Huffman's code
_BIT_DEPTH = 8
_WITHOUT_NEWS = {
    0xC4,  # Huffman tables
    0xDB,  # quantization tables
    0xDD,  # restart interval
    0xE0,  # JFIF
    0xE2,  # a colour profile
    0xEE,  # Adobe's, which tells the decoder how colours are coded
    0xFE,  # a comment
}


@dataclass(frozen=True, slots=True)
class PlainJpeg:
    """Units: width and height in pixels. ``mode`` is Pillow's."""

    data: bytes
    width: int
    height: int
    mode: str
    is_progressive: bool

    @classmethod
    def read(cls, data: bytes) -> Self | None:
        """Look the frame up; None where the header holds more (an orientation, say), or is not as it should be."""
        position = 2
        frame = None
        last = len(data) - 10
        for _ in range(_MAX_SEGMENTS):
            if position > last or data[position] != 0xFF:
                return None
            marker = data[position + 1]
            if marker == _START_OF_SCAN:
                return frame
            if marker in _FRAMES:
                mode = _MODES.get(data[position + 9])
                if frame is not None or mode is None or data[position + 4] != _BIT_DEPTH:
                    return None
                height = data[position + 5] << 8 | data[position + 6]
                width = data[position + 7] << 8 | data[position + 8]
                if not (width and height):
                    return None
                frame = cls(data, width, height, mode, marker == _PROGRESSIVE)
            elif marker not in _WITHOUT_NEWS:
                return None
            position += 2 + (data[position + 2] << 8 | data[position + 3])
        return None

    def decoded(self, scale: int) -> Image.Image:
        """The picture, reduced while it is decoded.

        ``scale``: 1, 2, 4 or 8. A size that is no multiple of it is rounded up.
        Raises: ValueError if the picture is truncated or damaged.
        """
        size = (-(-self.width // scale), -(-self.height // scale))
        picture = Image.new(self.mode, size, None)
        picture.frombytes(self.data, "jpeg", self.mode, "", scale, 0)
        return picture
