"""The chunks of a PNG, as Pillow goes over them: how many those may be, and what is read of them.

A small file can ask for seconds of work beside its pixels: every chunk costs some microseconds, also one that holds
nothing. Those of an animation's later frames cost nothing: Pillow goes over the chunks up to the end of the first
frame, and further only where no other frame follows.

Of what a PNG says about its picture, which may be compressed to a thousandth, only that is read which may tell how to
turn it; however long the rest is, the picture is sound.

Source: PNG specification, third edition, sections 5 (chunks) and 11.3 (what may be said; 11.3.1.1 for a transparent
tone).
"""

from contextlib import suppress
from typing import IO

from PIL.ImageFile import _safe_read
from PIL.PngImagePlugin import MAX_TEXT_CHUNK, PngStream

from nnlib.errors import BrokenImage

MAX_CHUNKS = 10_000
"""Encoders write the pixels in pieces of 8 KB or more, some of 2 KB or a line, and a few chunks beside them."""

_SAYINGS = {b"iCCP", b"tEXt", b"zTXt", b"iTXt"}  # a colour profile, and texts
_TEXTS_WITH_ORIENTATION = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0", b"exif\0")

_TONE_STEPS = {"L;2": 0xFF // 0b11, "L;4": 0xFF // 0b1111}


class PngChunks(PngStream):
    """Used as Pillow's own."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._file = file
        self._chunks = 0

    def read(self) -> tuple[bytes, int, int]:
        """The next chunk: its kind, where its content stands, and how many bytes that is.

        Raises: BrokenImage; what Pillow does.
        """
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            raise BrokenImage("the PNG image is stored in too many parts")
        return super().read()

    def call(self, cid: bytes, pos: int, length: int) -> bytes:
        """Read the next chunk's content, and keep what it means, unless that is passed over."""
        if cid not in _SAYINGS:
            content = super().call(cid, pos, length)
            if cid == b"tRNS" and self.im_mode == "L":  # as a file counts tones; those of the pixels go up to 255
                self.im_info["transparency"] *= _TONE_STEPS.get(self.im_rawmode, 1)
            return content
        content = _safe_read(self._file, length)
        if content.startswith(_TEXTS_WITH_ORIENTATION):
            self.check_text_memory(MAX_TEXT_CHUNK)  # ahead: Pillow counts only what it can use of what it inflates
            self._file.seek(pos)
            with suppress(ValueError):  # of one that is longer
                super().call(cid, pos, length)
        return content
