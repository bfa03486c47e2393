"""Find the parts of a ``multipart/form-data`` body that is here in one piece.

Searching a buffer for its boundaries costs a tenth of what a parser does that is told of each piece as it arrives, and
the body has to be held until its photo is complete in any case.
Source: RFC 2046, section 5.1.1; RFC 7578.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.errors import MalformedUpload
from gateway.header_options import read_options

MAX_PARTS = 32
"""Parts cost far more time than bytes do; a form that sends one photo has few."""
MAX_PART_HEAD_BYTES = 16 * 1024
MAX_BOUNDARY_BYTES = 256
"""The standard allows 70."""

_LINE_END = b"\r\n"
_FOLD = re.compile(rb"\r\n[ \t]+")
"""Libraries for mail, which make forms too, go on with a long header in the next line (RFC 5322, section 2.2.3)."""
_USUAL_HEAD = re.compile(
    rb'\r\ncontent-disposition: form-data; name="([\w.-]*)"(?:; filename="[^"\\\r\n]*")?'
    rb"(?:\r\ncontent-type: [^\r\n]*)?\r\n\r\n",
    re.IGNORECASE,
)
"""As nearly every client writes the head of a photo's part: it is read by one expression, all others line by line."""


@dataclass(slots=True)
class Part:
    """The field's name, and where in the body its content begins and ends."""

    name: bytes
    start: int
    end: int


def parts_of(body: bytes | bytearray, boundary: bytes) -> list[Part]:
    """The parts, in their order. Raises: MalformedUpload."""
    if not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        raise MalformedUpload("The Content-Type multipart/form-data names no boundary, or one that is too long.")
    delimiter = b"\r\n--" + boundary
    width = len(delimiter)
    position = width - 2
    if body[:position] != delimiter[2:]:
        if delimiter not in body:
            raise MalformedUpload("The boundary that the Content-Type names is nowhere in the body.")
        position = _end_of_content(body, delimiter, 0) + width  # what stands before it is no part
    parts: list[Part] = []
    for _ in range(MAX_PARTS + 1):
        if body[position : position + 2] == b"--":
            return parts
        name, start = _read_head(body, position)
        end = _end_of_content(body, delimiter, start)
        parts.append(Part(name, start, end))
        position = end + width
    raise MalformedUpload(f"The multipart body has more than {MAX_PARTS} parts.")


def _read_head(body: bytes | bytearray, position: int) -> tuple[bytes, int]:
    """The name of the part whose delimiter ends at ``position``, and where its content begins."""
    usual = _USUAL_HEAD.match(body, position, position + MAX_PART_HEAD_BYTES)
    if usual is not None:
        return usual[1], usual.end()
    head_end = body.find(_LINE_END * 2, position, position + MAX_PART_HEAD_BYTES)
    if head_end < 0:
        raise _ends_early() if len(body) < position + MAX_PART_HEAD_BYTES else _broken()
    padding, *head = _FOLD.sub(b" ", body[position:head_end]).split(_LINE_END)
    if padding.strip(b" \t"):
        raise _broken()
    return _name(head), head_end + 2 * len(_LINE_END)


def _end_of_content(body: bytes | bytearray, delimiter: bytes, start: int) -> int:
    """Where the next delimiter begins; a line that only begins like one is content."""
    end = body.find(delimiter, start)
    while end >= 0:
        after = end + len(delimiter)
        if body[after : after + 2] in (_LINE_END, b"--") or body[after : after + 1] in (b" ", b"\t"):
            return end
        end = body.find(delimiter, after)
    raise _ends_early()


def _name(head: list[bytes]) -> bytes:
    """Empty where none is given."""
    for line in head:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-disposition":
            _, parameters = read_options(value.strip())
            return parameters.get(b"name", b"")
    return b""


def _broken() -> MalformedUpload:
    return MalformedUpload("The multipart body is broken.")


def _ends_early() -> MalformedUpload:
    return MalformedUpload("The multipart body ends before its last boundary.")
