"""HEICs, read by libheif where that takes no more than the picture does."""

from io import BytesIO
from typing import Any

from pi_heif import HeifImageFile  # type: ignore[import-untyped]

from nnlib.errors import BrokenImage
from nnlib.heic_frame import decoded_pixels

_BEYOND_LIMITS = "Security limit exceeded"
"""libheif's words, also where a picture shows much less than is stored of it (its clean aperture): it sets the one
against the other."""


class HeicFile(HeifImageFile):  # type: ignore[misc]
    """Used as libheif's own. Opening it raises BrokenImage where the file asks for far more work than its picture."""

    def __init__(self, file: BytesIO) -> None:
        self.decoded_pixels = decoded_pixels(file.getvalue())
        """Of the largest picture in it, or more: see there."""
        super().__init__(file)

    def load(self) -> Any:
        """Raises: BrokenImage, which says so, where libheif refuses a picture that need not be damaged."""
        try:
            return super().load()
        except RuntimeError as error:
            if _BEYOND_LIMITS in str(error):
                raise BrokenImage("the HEIC image is stored in a way that is not supported") from None
            raise
