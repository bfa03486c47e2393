"""HEICs, read by libheif where that takes no more than the picture does."""

from io import BytesIO

from pi_heif import HeifImageFile  # type: ignore[import-untyped]

from nnlib.heic_frame import decoded_pixels


class HeicFile(HeifImageFile):  # type: ignore[misc]
    """Used as libheif's own. Opening it raises BrokenImage where the file asks for far more work than its picture."""

    def __init__(self, file: BytesIO) -> None:
        self.decoded_pixels = decoded_pixels(file.getvalue())
        """Of the largest picture in it, or more: see there."""
        super().__init__(file)
