"""JPEGs that are not plain, given to Pillow's decoder in one piece.

An arithmetic decoder cannot stop where a piece ends: Pillow's pieces of 64 KB would make each longer file a broken one.
"""

from io import BytesIO

from PIL.JpegImagePlugin import JpegImageFile

from nnlib.errors import BrokenImage

_BIT_DEPTH = 8


class JpegFile(JpegImageFile):
    """Used as Pillow's own. Opening it raises BrokenImage, which says so, where samples have more than 8 bits."""

    bits = 0
    """Pillow sets it, before it refuses more than 8."""

    def __init__(self, file: BytesIO) -> None:
        try:
            super().__init__(file)
        except Exception:
            if self.bits > _BIT_DEPTH:
                raise BrokenImage("the JPEG image stores its samples in a way that is not supported") from None
            raise

    def load_read(self, read_bytes: int) -> bytes:
        """All that is left, however much is asked for."""
        return super().load_read(-1)
