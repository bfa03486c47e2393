"""HEICs, read by libheif where that takes no more than the picture does."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pi_heif import HeifImageFile  # type: ignore[import-untyped]

from nnlib.errors import BrokenImage
from nnlib.heic_frame import decoded_pixels

_NOT_DAMAGED = (
    "Unsupported feature",  # compressed metadata
    "Support for this compression format has not been built in",  # JPEG or AV1 in the place of HEVC
    "Security limit exceeded",  # what is stored is set against what is shown of it (the clean aperture)
)
"""libheif's words for why it reads no further."""


class HeicFile(HeifImageFile):  # type: ignore[misc]
    """Used as libheif's own.

    Opening it raises BrokenImage where the file asks for far more work than its picture; that and loading raise it,
    saying so, where libheif does not read what need not be damaged.
    """

    def __init__(self, file: BytesIO) -> None:
        self.decoded_pixels = decoded_pixels(file.getvalue())
        """Of the largest picture in it, or more: see there."""
        with _telling_it_from_damage():
            super().__init__(file)

    def load(self) -> Any:
        with _telling_it_from_damage():
            return super().load()


@contextmanager
def _telling_it_from_damage() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if any(words in str(error) for words in _NOT_DAMAGED):
            raise BrokenImage("the HEIC image is stored in a way that is not supported") from None
        raise
