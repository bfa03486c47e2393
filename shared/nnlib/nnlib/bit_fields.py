"""Numbers of any number of bits, as the headers of files and bitstreams hold them."""

Span = tuple[int, int]
"""Where something starts and where it ends, in bytes."""


class Unreadable(Exception):
    """The file cannot be followed: it is cut off, contradicts itself, or has too many parts."""


class Fields:
    """Unsigned numbers, one after the other, the most significant bit first."""

    def __init__(self, data: bytes, span: Span) -> None:
        self._data = data
        self._position, self._end = 8 * span[0], 8 * span[1]

    def take(self, bits: int) -> int:
        """Raises: Unreadable behind the end."""
        start, end = self._position, self._position + bits
        if end > self._end:
            raise Unreadable
        self._position = end
        return int.from_bytes(self._data[start >> 3 : (end + 7) >> 3]) >> (-end & 7) & ((1 << bits) - 1)

    def skip(self, bits: int) -> None:
        self._position += bits
