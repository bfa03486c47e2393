"""JPEGs that Pillow's own pieces would break."""

import struct

import pytest
from nnlib.errors import BrokenImage
from nnlib.preprocessing import preprocess
from PIL.ImageFile import MAXBLOCK
from PIL.JpegImagePlugin import JpegImageFile

from shared.nnlib.tests.test_jpeg_structure import encode, noise, segment

ARITHMETIC_FRAME = b"\xff\xc9"


def arithmetic():
    """To an arithmetic decoder any bytes are a picture. Here they begin where Pillow's first piece ends."""
    data = encode(noise(640, 480)).replace(b"\xff\xc0", ARITHMETIC_FRAME)
    start = data.index(b"\xff\xda") + struct.calcsize(">HHB3HBBB")
    comment = segment(0xFE, bytes(MAXBLOCK - start - 4))
    return data[:2] + comment + data[2:start] + bytes(100) + b"\xff\xd9"


def test_an_arithmetic_code_may_be_longer_than_pillows_pieces():
    picture = preprocess(arithmetic())
    assert (picture.format, picture.width, picture.height) == ("JPEG", 640, 480)


def test_the_test_of_an_arithmetic_code_could_fail(monkeypatch):
    monkeypatch.setattr("nnlib.jpeg_file.JpegFile.load_read", JpegImageFile.load_read)
    with pytest.raises(BrokenImage):
        preprocess(arithmetic())


@pytest.mark.parametrize("bits", [12, 16])
def test_samples_of_more_bits_are_not_called_damaged(bits):
    data = bytearray(encode(noise(64, 64)))
    data[data.index(b"\xff\xc0") + 4] = bits
    with pytest.raises(BrokenImage, match=r"^the JPEG image stores its samples in a way that is not supported$"):
        preprocess(bytes(data))
