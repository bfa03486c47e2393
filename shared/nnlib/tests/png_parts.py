"""PNGs from their parts, for what no encoder would write."""

import struct
import zlib


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, stream=b"", *, bits=8, interlaced=False, idat_bytes=2**16):
    """A grey picture from the stream of its lines."""
    pieces = [stream[start : start + idat_bytes] for start in range(0, len(stream), idat_bytes)] or [b""]
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, interlaced)
    idats = b"".join(chunk(b"IDAT", piece) for piece in pieces)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + idats + chunk(b"IEND", b"")
