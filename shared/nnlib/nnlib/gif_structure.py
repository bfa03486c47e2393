"""How many steps it takes to come to the first picture of a GIF: a small file can put millions of blocks before it.

Source: GIF 89a, sections 15 (sub-blocks) and 20 to 26 (blocks).
"""

MAX_STEPS = 100_000
"""Blocks, sub-blocks and stray bytes. Metadata in XML, read as sub-blocks, has one for about 70 bytes."""

_HEADER_BYTES = 13
_FLAGS = 10
_HAS_PALETTE, _PALETTE_BITS = 0x80, 0x07
_EXTENSION, _PICTURE, _TRAILER = b"!,;"
_COMMENT, _APPLICATION = b"\xfe", b"\xff"
_LOOPS = b"NETSCAPE2.0"


def is_laborious(data: bytes) -> bool:
    """Whether more stands before the first picture than any sane encoder writes.

    It goes as Pillow goes, which takes one sub-block of an extension (two where it tells of loops) even if it is the
    empty one that should end it: who reads in another way may come to another picture.
    """
    if len(data) < _HEADER_BYTES:
        return False
    flags = data[_FLAGS]
    position = _HEADER_BYTES + (6 << (flags & _PALETTE_BITS) if flags & _HAS_PALETTE else 0)
    within = False
    unending = 0
    last = len(data) - 1
    for _ in range(MAX_STEPS):
        if position > last:
            return False
        byte = data[position]
        position += 1
        if within:
            position += byte
            within = byte > 0 or unending > 0
            unending -= 1
        elif byte == _EXTENSION:
            within = True
            unending = _sub_blocks_that_end_nothing(data[position : position + 2 + len(_LOOPS)])
            position += 1
        elif byte in (_PICTURE, _TRAILER):
            return False
    return True


def _sub_blocks_that_end_nothing(extension: bytes) -> int:
    label, size, name = extension[:1], extension[1:2], extension[2:]
    if label == _COMMENT:
        return 0
    return 2 if label == _APPLICATION and size >= bytes([len(_LOOPS)]) and name == _LOOPS else 1
