"""HEICs from their parts: the decoder in use has no encoder beside it, so the tests bring their own.

The encoder below is the least that is still HEVC: one intra slice of 16x16 blocks stored as they are (PCM), so its
arithmetic coder only ever meets three bins. Sections are those of ITU-T H.265; the boxes are ISO/IEC 23008-12's.
"""

import struct
from dataclasses import dataclass

import numpy as np

BLOCK = 16
PROFILE = bytes([3, 0x70, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 90])  # Main Still Picture, level 3

# Table 9-40, its last column: the range of the less probable bin, by state, where the whole range is 448 or more.
LESS_PROBABLE = (
    "240 227 216 205 195 185 175 166 158 150 142 135 128 122 116 110 104 99 94 89 85 80 76 72 69 65 62 59 56 53 50 48 "
    "45 43 41 39 37 35 33 31 30 28 27 25 24 23 22 21 20 19 18 17 16 15 14 14 13 12 12 11 11 10 9"
)


class Bits:
    """Fixed-length fields and Exp-Golomb codes (section 9.2), collected as text."""

    def __init__(self):
        self.text = ""

    def put(self, *fields):
        """Each field is (value, number of bits)."""
        self.text += "".join(f"{value:0{size}b}" for value, size in fields if size)
        return self

    def golomb(self, *values):
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code
        return self

    def aligned(self, first="1"):
        self.text += first
        self.text += "0" * (-len(self.text) % 8)
        return self

    def bytes(self):
        return int(self.text, 2).to_bytes(len(self.text) // 8, "big")


def unit(kind, payload):
    """A NAL unit (7.3.1), with emulation prevention."""
    out, zeros = bytearray([kind << 1, 1]), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def parameter_sets(width, height, *, tiles=False, chroma=1, bits=8, earlier=0):
    """Video, sequence and picture parameter set (7.3.2). The tiles are two, side by side.

    ``earlier``: how many pictures one may name.
    """
    profile = int.from_bytes(PROFILE, "big"), 8 * len(PROFILE)
    video = Bits().put((0, 4), (3, 2), (0, 6), (0, 3), (1, 1), (0xFFFF, 16), profile, (1, 1)).golomb(0, 0, 0)
    video.put((0, 6)).golomb(0).put((0, 1), (0, 1)).aligned()
    sequence = Bits().put((0, 4), (0, 3), (1, 1), profile).golomb(0, chroma).put((0, 1 if chroma == 3 else 0))
    sequence.golomb(width, height).put((0, 1)).golomb(bits - 8, bits - 8, 0).put((1, 1)).golomb(earlier, 0, 0)
    sequence.golomb(1, 0, 0, 2, 0, 0)  # coding blocks of 16, transform blocks of 4 to 16
    sequence.put((0, 1), (0, 1), (0, 1), (1, 1), (7, 4), (7, 4)).golomb(1, 0).put((1, 1))  # PCM, 8 bits, blocks of 16
    sequence.golomb(0).put((0, 1), (0, 1), (0, 1), (0, 1), (0, 1)).aligned()
    picture = Bits().golomb(0, 0).put((0, 1), (0, 1), (0, 3), (0, 1), (0, 1)).golomb(0, 0, 0).put((0, 3)).golomb(0, 0)
    picture.put((0, 4), (tiles, 1), (0, 1))
    if tiles:
        picture.golomb(1, 0).put((1, 1), (0, 1))
    picture.put((0, 1), (1, 1), (0, 1), (1, 1), (0, 1), (0, 1)).golomb(0).put((0, 1), (0, 1)).aligned()
    return unit(32, video.bytes()), unit(33, sequence.bytes()), unit(34, picture.bytes())


def slice_header(first_block=0, blocks=0):
    """Of the slice of a picture of so many blocks that begins with this one (7.3.6)."""
    bits = Bits().put((first_block == 0, 1), (0, 1)).golomb(0)
    return bits.put((first_block, (blocks - 1).bit_length() if first_block else 0)).golomb(2, 0).aligned()


def picture_slice(luma, **place):
    """One intra slice (7.3.8): for every block "not divided", "stored", the samples, "was it the last?"."""
    bits = slice_header(**place)
    less_probable = [int(number) for number in LESS_PROBABLE.split()]
    blocks = [(y, x) for y in range(0, luma.shape[0], BLOCK) for x in range(0, luma.shape[1], BLOCK)]
    interval = 510
    for state, (y, x) in enumerate(blocks):
        interval -= less_probable[min(state, 62)]  # part_mode: the more probable bin, no renormalisation needed
        bits.text += flush(low=interval - 2)  # pcm_flag = 1
        bits.text += "0" * (-len(bits.text) % 8)
        samples = luma[y : y + BLOCK, x : x + BLOCK].tobytes() + bytes([128]) * (BLOCK * BLOCK // 2)
        bits.text += "".join(f"{byte:08b}" for byte in samples)
        interval = 510 - 2  # the coder starts anew, and end_of_slice_segment_flag = 0
    bits.text += flush(low=interval)  # end_of_slice_segment_flag = 1; its last bit is the stop bit
    bits.text += "0" * (-len(bits.text) % 8)
    return unit(19, bits.bytes())


def flush(low):
    """End an arithmetic code whose interval starts at `low`: shift out seven bits, then three, the last of them set."""
    sent, outstanding, first = "", 0, True

    def put(bit):
        nonlocal sent, outstanding, first
        sent += ("" if first else bit) + ("1" if bit == "0" else "0") * outstanding
        first, outstanding = False, 0

    for _ in range(7):
        if low < 256:
            put("0")
        elif low >= 512:
            low -= 512
            put("1")
        else:
            low -= 256
            outstanding += 1
        low <<= 1
    put(str(low >> 9 & 1))
    return sent + f"{low >> 7 & 3 | 1:02b}"


def next_slice(width, height, first_block=1):
    """It holds nothing that can be decoded."""
    blocks = (width // BLOCK) * (height // BLOCK)
    return unit(19, slice_header(first_block, blocks).bytes() + b"\x55")


def picture_slices(luma, count):
    """As many lines of blocks in each."""
    places = range(0, luma.size // BLOCK**2, luma.size // BLOCK**2 // count)
    parts = zip(np.split(luma, count), places, strict=True)
    return [picture_slice(part, first_block=first, blocks=luma.size // BLOCK**2) for part, first in parts]


def in_stream(*units):
    return b"".join(struct.pack(">I", len(content)) + content for content in units)


def box(kind, *contents):
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


COLOUR = box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 6, 0x80))


@dataclass
class Item:
    """Others are named by their numbers, which are from 1 on."""

    size: tuple[int, int]
    """As the file announces it."""
    data: bytes = b""
    kind: bytes = b"hvc1"
    parameter_sets: tuple[bytes, ...] = ()
    properties: tuple[bytes, ...] = (COLOUR,)
    references: tuple[tuple[bytes, tuple[int, ...]], ...] = ()


def hevc(luma, *, slices=1, coded=None, announced=None, **options):
    """A picture, and what may be lies about its size."""
    height, width = luma.shape
    sets = parameter_sets(*(coded or (width, height)))
    data = in_stream(*picture_slices(luma, slices))
    return Item(announced or coded or (width, height), data, parameter_sets=sets, **options)


def of_grid(columns, rows, size, tiles):
    data = struct.pack(">4BII", 0, 1, rows - 1, columns - 1, *size)
    return Item(size, data, b"grid", references=((b"dimg", tuple(tiles)),))


def overlay(size, layers, *, announced=None):
    data = struct.pack(">BB4HII", 0, 1, 0, 0, 0, 0, *size) + bytes(8) * len(layers)
    return Item(announced or size, data, b"iovl", references=((b"dimg", tuple(layers)),))


def identity(of, size=(64, 64)):
    return Item(size, kind=b"iden", references=((b"dimg", (of,)),))


def heic_file(*items):
    """The photo is the first item."""
    properties, associations, information, references = [], b"", b"", b""
    for number, item in enumerate(items, 1):
        own = [box(b"ispe", struct.pack(">III", 0, *item.size)), *item.properties]
        if item.parameter_sets:
            own.insert(0, _configuration(item.parameter_sets))
        properties += [content for content in own if content not in properties]
        associations += struct.pack(">HB", number, len(own))
        associations += bytes(0x80 | properties.index(content) + 1 for content in own)
        information += box(b"infe", struct.pack(">IHH4sB", 2 << 24, number, 0, item.kind, 0))
        for kind, others in item.references:
            references += box(kind, struct.pack(f">HH{len(others)}H", number, len(others), *others))
    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset):
        places, end = {}, offset
        locations = b""
        for number, item in enumerate(items, 1):
            if item.data not in places:
                places[item.data] = end
                end += len(item.data)
            locations += struct.pack(">HHHII", number, 0, 1, places[item.data], len(item.data))
        content = b"".join(places)
        return content, box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", struct.pack(">IH", 0, 1)),
            box(b"iloc", struct.pack(">IHH", 0, 0x4400, len(items)), locations),
            box(b"iinf", struct.pack(">IH", 0, len(items)), information),
            box(b"iref", bytes(4), references) if references else b"",
            box(b"iprp", box(b"ipco", *properties), box(b"ipma", struct.pack(">II", 0, len(items)), associations)),
        )

    content, first_try = meta(0)
    return head + meta(len(head) + len(first_try) + 8)[1] + box(b"mdat", content)


def _configuration(units):
    fixed = struct.pack(">HBBBBHBB", 0xF000, 0xFC, 0xFD, 0xF8, 0xF8, 0, 0x0F, len(units))
    arrays = b"".join(struct.pack(">BHH", 0x80 | data[0] >> 1, 1, len(data)) + data for data in units)
    return box(b"hvcC", b"\x01", PROFILE, fixed, arrays)


def heic(luma, *, quarter_turns=0):
    """A grey HEIC file; quarter_turns anticlockwise are left to whoever shows it."""
    return heic_file(hevc(luma, properties=(COLOUR, box(b"irot", bytes([quarter_turns])))))


def grey(width, height):
    rows, columns = np.indices((height, width))
    return ((rows * 2 + columns * 3) % 200 + 20).astype(np.uint8)
