"""AVIFs, read by libavif where that takes no more than the picture does."""

from io import BytesIO

from PIL.AvifImagePlugin import AvifImageFile

from nnlib.avif_frame import decoded_pixels


class AvifFile(AvifImageFile):
    """Used as Pillow's own. Opening it raises BrokenImage where the file has more parts than any sound one."""

    def __init__(self, file: BytesIO) -> None:
        self.decoded_pixels = decoded_pixels(file.getvalue())
        """Of the largest frame in it, or more: see there."""
        super().__init__(file)
