"""How much work a PNG may ask for beside its pixels: a small file can ask for seconds.

Every chunk costs its reader some microseconds, also one that holds nothing. Those of an animation's later frames cost
nothing: Pillow goes over the chunks up to the end of the first frame, and further only where no other frame follows.

Source: PNG specification, third edition, section 5 (chunks).
"""

from PIL.PngImagePlugin import PngStream

from nnlib.errors import BrokenImage

MAX_CHUNKS = 10_000
"""Encoders write the pixels in pieces of 8 KB or more, some of 2 KB or a line, and a few chunks beside them."""


class PngChunks(PngStream):
    """Used as Pillow's own."""

    _chunks = 0

    def read(self) -> tuple[bytes, int, int]:
        """The next chunk: its kind, where its content stands, and how many bytes that is.

        Raises: BrokenImage; what Pillow does.
        """
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            raise BrokenImage("the PNG image is stored in too many parts")
        return super().read()
