"""Give memory back: one huge request must not leave a process huge."""

from __future__ import annotations

import ctypes

LARGE_BLOCK_BYTES = 2**20

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def return_large_blocks(block_bytes: int = LARGE_BLOCK_BYTES) -> None:
    """Have blocks of so many bytes and more returned to the system as soon as they are freed.

    glibc does so at first, but raises its threshold with every such block to as much as 32 megabytes; from then on
    freed ones stay with the process, beneath whatever small block was made after them. Twice as much is kept free for
    the next blocks below that size, as glibc does when it sets its threshold itself: without that, each block of some
    hundred kilobytes would be given back to the system and asked for anew. Where the allocator is another, this does
    nothing.
    Source: mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, block_bytes)
    mallopt(_M_TRIM_THRESHOLD, 2 * block_bytes)
