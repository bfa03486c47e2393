"""TIFFs tag by tag, with what no library would write among them."""

import struct

SHORT, LONG, RATIONAL, LONG8 = 3, 4, 5, 16
_CODES = {SHORT: "H", LONG: "I", RATIONAL: "I", LONG8: "Q"}

CONTENT = 16
"""Where the content is in the file."""


def tiff(tags, content, *, order="<", big=False):
    """Of tags (number, type, values); in the place of values may be (count, position)."""
    number = "Q" if big else "I"
    values_at = CONTENT + len(content)
    entries, apart = [], b""
    for tag, kind, values in tags:
        if isinstance(values, tuple):
            count, field = values[0], struct.pack(order + number, values[1])
        else:
            count, field = len(values), struct.pack(order + _CODES[kind] * len(values), *values)
        if len(field) > struct.calcsize(number):
            apart, field = apart + field, struct.pack(order + number, values_at + len(apart))
        entries.append(struct.pack(order + "HH" + number, tag, kind, count))
        entries.append(field.ljust(struct.calcsize(number), b"\0"))
    directory = struct.pack(order + ("Q" if big else "H"), len(tags))
    directory += b"".join(entries) + bytes(struct.calcsize(number))
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    head += struct.pack(order + "HH", 8, 0) if big else b""
    head += struct.pack(order + number, values_at + len(apart))
    return head.ljust(CONTENT, b"\0") + content + apart + directory


def grey(width, height, *, compression=1, bits=8, photometric=1):
    """The tags of a grey picture, but for those that tell where it is."""
    return [
        (256, LONG, [width]),
        (257, LONG, [height]),
        (258, SHORT, [bits]),
        (259, SHORT, [compression]),
        (262, SHORT, [photometric]),
        (277, SHORT, [1]),
    ]


def strips(offsets, byte_counts, *, rows):
    return [(273, LONG, offsets), (278, LONG, [rows]), (279, LONG, byte_counts)]


def tile(width, height, size):
    return [(322, LONG, [width]), (323, LONG, [height]), (324, LONG, [CONTENT]), (325, LONG, [size])]
