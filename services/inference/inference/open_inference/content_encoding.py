"""Undo the Content-Encoding of a body, within the limit that holds for bodies.

Source: RFC 9110, section 8.4.1 (of which "deflate" is what RFC 1950 calls zlib).
"""

from __future__ import annotations

import zlib
from types import MappingProxyType

from inference.errors import BodyTooLarge, InvalidInferRequest

_WINDOW_BITS = MappingProxyType({"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS})
"""As zlib wants to be told which of the two wrappings it will find."""

ENCODINGS = ("identity", *_WINDOW_BITS)


def decoded(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """The body as it was before it was encoded as one of ENCODINGS; never more than a byte over the limit is made.

    Raises: BodyTooLarge, InvalidInferRequest if it is damaged, cut off, or goes on behind its end.
    """
    if encoding == "identity":
        return body
    decompressor = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        content = decompressor.decompress(body, max_bytes + 1)
    except zlib.error:
        raise InvalidInferRequest(f"The body is not what {encoding} makes.") from None
    if len(content) > max_bytes:
        raise BodyTooLarge(max_bytes)
    if not decompressor.eof or decompressor.unused_data:
        raise InvalidInferRequest(f"The body does not end where its {encoding} does.")
    return content
