"""PNGs, inflated by ISA-L: Pillow's wheels leave that to the system's zlib, which takes half the time of a photo.

Pillow reads the file and undoes the filters as ever. What it is given to inflate was inflated before, and says so in
the terms of the same format: as blocks without compression.

Source: RFC 1950 (a head of two bytes before the blocks, and a checksum after them); RFC 1951, 3.2.4.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress

from isal import igzip_lib
from PIL.PngImagePlugin import PngImageFile, PngStream

from nnlib.png_structure import PngChunks

_HEAD_BYTES = 2
_BLOCK_HEAD = struct.Struct("<BHH")
_MAX_BLOCK_BYTES = 0xFFFF
_LAST_BLOCK = _BLOCK_HEAD.pack(1, 0, 0xFFFF)

AT_ONCE_BYTES = 15 * _MAX_BLOCK_BYTES
"""Of what is inflated: less than the megabyte from which an allocator asks the system for memory each time, and enough
for 640x480 pixels. With every piece a thread gives the interpreter's lock up twice, and has to wait for it."""


class PngFile(PngImageFile):
    """Used as Pillow's own, which checks the head of the stream and the checksum at its end."""

    _chunks: PngChunks | None = None

    @property
    def png(self) -> PngStream | None:
        """The chunks: ours in place of those that Pillow makes when it opens a file."""
        return self._chunks

    @png.setter
    def png(self, chunks: PngStream | None) -> None:
        self._chunks = None if chunks is None or chunks.fp is None else PngChunks(chunks.fp)

    def load_prepare(self) -> None:
        super().load_prepare()
        self._inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        self._is_begun = False
        self._is_inflated = False

    def load_read(self, read_bytes: int) -> bytes:
        """What comes next of the stream, but for its compression; nothing where no more can be had."""
        if not self._is_begun:
            self._is_begun = True
            return self._compressed(_HEAD_BYTES)
        if self._is_inflated:
            return self._compressed(AT_ONCE_BYTES)
        try:
            content = self._inflated()
        except igzip_lib.IsalError:  # type: ignore[misc] # its stub takes it for an instance
            return b""
        self._is_inflated = self._inflater.eof
        end = (_LAST_BLOCK, self._inflater.unused_data) if self._is_inflated else ()
        return b"".join((*_stored(content), *end))

    def _compressed(self, most_bytes: int) -> bytes:
        """What comes next in the file: less than asked for, at its end alone."""
        pieces = []
        with suppress(struct.error, SyntaxError):  # of what follows, which Pillow may do without
            while most_bytes and (piece := super().load_read(most_bytes)):
                pieces.append(piece)
                most_bytes -= len(piece)
        return b"".join(pieces)

    def _inflated(self) -> bytes:
        """Raises: igzip_lib.IsalError."""
        inflater = self._inflater
        content = b""
        while not (content or inflater.eof):
            compressed = self._compressed(AT_ONCE_BYTES) if inflater.needs_input else b""
            if inflater.needs_input and not compressed:
                break
            content = inflater.decompress(compressed, AT_ONCE_BYTES)
        return content


def _stored(content: bytes) -> Iterator[bytes | memoryview]:
    view = memoryview(content)
    for start in range(0, len(content), _MAX_BLOCK_BYTES):
        block = view[start : start + _MAX_BLOCK_BYTES]
        yield _BLOCK_HEAD.pack(0, len(block), len(block) ^ 0xFFFF)
        yield block
