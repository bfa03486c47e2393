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
    is_in_scans: bool
    """It comes in several, so that its decoder keeps all coefficients of the whole picture, at any scale."""

    @classmethod
    def read(cls, data: bytes) -> Self | None:
        """Look the frame up; None where the header holds more (an orientation, say), or is not as it should be."""
        position = 2
        frame = 0
        last = len(data) - 10
        for _ in range(_MAX_SEGMENTS):
            if position > last or data[position] != 0xFF:
                return None
            marker = data[position + 1]
            if marker == _START_OF_SCAN:
                break
            if marker in _FRAMES and not frame:
                frame = position
            elif marker not in _WITHOUT_NEWS:
                return None
            position += 2 + (data[position + 2] << 8 | data[position + 3])
        else:
            return None
        components = data[frame + 9]
        height = data[frame + 5] << 8 | data[frame + 6]
        width = data[frame + 7] << 8 | data[frame + 8]
        if not (frame and width and height) or data[frame + 4] != _BIT_DEPTH or components not in _MODES:
            return None
        is_in_scans = data[frame + 1] == _PROGRESSIVE or data[position + 4] < components
        return cls(data, width, height, _MODES[components], is_in_scans)

    def decoded(self, scale: int) -> Image.Image:
        """The picture, reduced while it is decoded.

        ``scale``: 1, 2, 4 or 8. A size that is no multiple of it is rounded up.
        Raises: ValueError if the picture is truncated or damaged.
        """
        size = (-(-self.width // scale), -(-self.height // scale))
        picture = Image.new(self.mode, size, None)
        picture.frombytes(self.data, "jpeg", self.mode, "", scale, 0)
        return picture
