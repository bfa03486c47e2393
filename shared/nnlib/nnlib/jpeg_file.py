"""JPEGs that are not plain, given to Pillow's decoder in one piece.

An arithmetic decoder cannot stop where a piece ends: Pillow's pieces of 64 KB would make each longer file a broken one.
"""

from PIL.JpegImagePlugin import JpegImageFile


class JpegFile(JpegImageFile):
    """Used as Pillow's own."""

    def load_read(self, read_bytes: int) -> bytes:
        """All that is left, however much is asked for."""
        return super().load_read(-1)
