"""AVIFs from their parts, for what no encoder would write. The AV1 in them is what Pillow's encoder made."""

import struct
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"


def encode(image, **options):
    buffer = BytesIO()
    image.save(buffer, "AVIF", **{"speed": 10, **options})
    return buffer.getvalue()


def flat(size, colour="#c81e1e", mode="RGB"):
    return Image.new("RGB", size, colour).convert(mode)


def box(kind, *contents):
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def bits_of(content):
    return "".join(f"{byte:08b}" for byte in content)


def bytes_of(bits):
    return int(bits, 2).to_bytes(len(bits) // 8)


class Bits:
    """Numbers, collected as text, at random where none is given."""

    def __init__(self, random):
        self._random = random
        self._text = ""

    def number(self, bits, value=None):
        if value is None:
            value = self._random.getrandbits(bits)
        self._text += f"{value:0{bits}b}"
        return value

    def flag(self):
        return self.number(1) == 1

    def anything(self, bits):
        if bits:
            self.number(bits)

    def bytes(self):
        return bytes_of(self._text + "1" + "0" * (-len(self._text) - 1 & 7))


def obu(kind, content, *, has_size=True):
    size = b""
    if has_size:
        rest = len(content)
        while rest >= 0x80:
            size += bytes([0x80 | rest & 0x7F])
            rest >>= 7
        size += bytes([rest])
    return bytes([kind << 3 | has_size << 1]) + size + content


def obus(data):
    """The type and the content of each OBU."""
    found = []
    while data:
        size, start, shift = 0, 1, 0
        while True:
            size |= (data[start] & 0x7F) << shift
            shift += 7
            start += 1
            if data[start - 1] < 0x80:
                break
        found.append((data[0] >> 3, data[start : start + size]))
        data = data[start + size :]
    return found


@dataclass
class Item:
    size: tuple[int, int]
    """As the file announces it."""
    data: bytes
    kind: bytes = b"av01"
    configuration: bytes = b""
    parts: int = 1
    is_alpha: bool = False
    is_in_idat: bool = False


def av1(size, mode="RGB", *, announced=None, **options):
    """A picture of one colour, and what may be a lie about its size."""
    data = encode(flat(size, mode=mode))
    configuration = data[data.index(b"av1C") - 4 :][:12]
    return Item(announced or size, data[data.index(b"mdat") + 4 :], configuration=configuration, **options)


def of_grid(columns, rows, size):
    return Item(size, struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *size), b"grid", is_in_idat=True)


def avif(*items, version=1, index_bytes=0):
    """A file whose photo is the first item. Behind a grid come its tiles.

    ``version``: of the box that says where items are; the second has room for more of them.
    """
    properties, associations, information, references = [], b"", b"", b""
    for number, item in enumerate(items, 1):
        own = [box(b"ispe", struct.pack(">III", 0, *item.size))]
        if item.configuration:
            channels = 1 if item.is_alpha else 3
            own += [item.configuration, box(b"pixi", struct.pack(">IB", 0, channels), bytes([8]) * channels)]
        if item.is_alpha:
            own.append(box(b"auxC", bytes(4), ALPHA))
            references += box(b"auxl", struct.pack(">HHH", number, 1, 1))
        properties += [content for content in own if content not in properties]
        associations += struct.pack(">HB", number, len(own))
        for content in own:
            is_essential = content[4:8] == b"av1C"
            associations += bytes([properties.index(content) + 1 | is_essential << 7])
        entry = struct.pack(">II", 3 << 24, number) if version == 2 else struct.pack(">IH", 2 << 24, number)
        information += box(b"infe", entry, bytes(2), item.kind, bytes(1))
    if items[0].kind == b"grid":
        tiles = [number for number, item in enumerate(items[1:], 2) if not item.is_alpha]
        references = box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *tiles)) + references
    stored = {True: b"", False: b""}
    places = []
    for item in items:
        places.append(len(stored[item.is_in_idat]))
        stored[item.is_in_idat] += item.data
    head = box(b"ftyp", b"avif", bytes(4), b"avifmif1miaf")

    def meta(offset):
        count = "I" if version == 2 else "H"
        locations = struct.pack(f">BB{count}", 0x44, 0x40 | index_bytes, len(items))
        for number, (item, place) in enumerate(zip(items, places, strict=True), 1):
            locations += struct.pack(f">{count}", number)
            if version:
                locations += struct.pack(">H", item.is_in_idat)
            locations += struct.pack(">HIH", 0, place + (0 if item.is_in_idat else offset), item.parts)
            step = len(item.data) // item.parts
            for part in range(item.parts):
                length = step if part < item.parts - 1 else len(item.data) - step * part
                locations += bytes(index_bytes) + struct.pack(">II", step * part, length)
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", struct.pack(">IH", 0, 1)),
            box(b"iloc", struct.pack(">I", version << 24), locations),
            box(b"iinf", struct.pack(">IH", 0, len(items)), information),
            box(b"iref", bytes(4), references) if references else b"",
            box(
                b"iprp",
                box(b"ipco", *properties),
                box(b"ipma", struct.pack(">II", 0, len(items)), associations),
            ),
            box(b"idat", stored[True]) if stored[True] else b"",
        )

    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", stored[False])


def first_sample(animation):
    """The data of the first picture, which Pillow's encoder stores as an item too."""
    at = animation.index(b"iloc") + 18
    offset, length = struct.unpack(">II", animation[at : at + 8])
    return animation[offset : offset + length]


def track(*table):
    return box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", *table))))
