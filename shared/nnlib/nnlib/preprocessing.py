"""From the bytes of any photo to the 64x64 picture that the network sees: the one way, for training and serving.

bytes -> format by content -> header (size) -> pixels -> largest centred square -> 64x64 -> upright RGB

The order is chosen for speed and does not change the result by more than rounding: a JPEG is decoded at a reduced scale
(Pillow's draft) that keeps the short side at 112 pixels or more, and rotation, mirroring and the white background
behind transparency are applied to the 64x64 picture, because a centred square commutes with all three.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import SEEK_CUR, BytesIO
from types import TracebackType

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.WebPImagePlugin import WebPImageFile

from nnlib import bmp_structure, gif_structure, jpeg_structure
from nnlib.avif_file import AvifFile
from nnlib.errors import BrokenImage, ImageError, TooManyPixels, UnsupportedFormat
from nnlib.gif_file import GifFile
from nnlib.heic_file import HeicFile
from nnlib.jpeg_file import JpegFile
from nnlib.plain_jpeg import PlainJpeg
from nnlib.png_file import PngFile
from nnlib.tiff_file import TiffFile

IMAGE_SIZE = 64
RESAMPLE = "bicubic"
MAX_PIXELS = 50_000_000
HUGE_PIXELS = 16_000_000
"""Decoded, not announced: a JPEG in one scan is decoded at a reduced scale. Telephones take pictures of 12 million."""

_MANY_LINES = 100_000
_LINE_COSTS_PIXELS = 16  # in time and in memory, however short it is
_DRAFT_SIDE = 7 * IMAGE_SIZE // 4  # leaves most of the antialiasing to the resize, and lets 480 pixels be quartered
_REDUCING_GAP = 2.0

# Pillow's own loader asks every plugin, and imports them all when it meets the first format beyond JPEG, PNG, GIF and
# BMP (tenths of a second in the middle of a request).
_FILES: dict[str, type[ImageFile]] = {
    "JPEG": JpegFile,
    "PNG": PngFile,
    "WEBP": WebPImageFile,
    "GIF": GifFile,
    "BMP": BmpImageFile,
    "TIFF": TiffFile,
    "AVIF": AvifFile,
    "HEIC": HeicFile,
}
_IS_LABORIOUS: dict[str, Callable[[bytes], bool]] = {
    "BMP": bmp_structure.is_laborious,
    "GIF": gif_structure.is_laborious,
}

# Of odd metadata in a stranger's photo Pillow warns on stderr, with a path of this machine, and decodes on; so it does
# of giant GIFs, which are refused.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(slots=True)
class Picture:
    """A photo as the network sees it, and what the photo was.

    Shapes: pixels (64, 64, 3).
    Units: pixels uint8 0..255; width and height in pixels of the whole photo, as a viewer shows it.
    """

    pixels: npt.NDArray[np.uint8]
    format: str
    width: int
    height: int


def preprocess(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a photo, cut the largest centred square and scale it to 64x64 RGB.

    Raises: UnsupportedFormat, TooManyPixels (decided from the header alone), BrokenImage.
    """
    return open_photo(data, max_pixels=max_pixels).picture()


def open_photo(data: bytes, *, max_pixels: int = MAX_PIXELS) -> "Photo":
    """Read the header of a photo, of which no pixel is decoded yet.

    Raises: UnsupportedFormat, TooManyPixels, BrokenImage.
    """
    if not data:
        raise BrokenImage("the file is empty")
    image_format = detect_format(data)
    if image_format is None:
        raise UnsupportedFormat("the content is not JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC")
    stored = _read_header(data, image_format, max_pixels)
    if stored.width * stored.height > max_pixels:
        raise TooManyPixels(f"the image has {stored.width} x {stored.height} pixels, more than {max_pixels:,}")
    pixels = _stored_pixels(stored)
    if pixels > max_pixels:
        raise TooManyPixels(f"the image is stored as more than {max_pixels:,} pixels")
    with _Decoding(image_format, max_pixels):
        return Photo(stored, image_format, max_pixels, pixels)


def _read_header(data: bytes, image_format: str, max_pixels: int) -> PlainJpeg | ImageFile:
    if image_format == "JPEG":
        plain = PlainJpeg.read(data)
        if (plain is None or plain.is_in_scans) and jpeg_structure.is_laborious(data):
            raise BrokenImage("the JPEG image is stored in too many parts")
        if plain is not None:
            return plain
    elif image_format in _IS_LABORIOUS and _IS_LABORIOUS[image_format](data):
        raise BrokenImage(f"the {image_format} image is stored in too many parts")
    with _Decoding(image_format, max_pixels):
        return _FILES[image_format](BytesIO(data))


class Photo:
    """A photo whose header has been read. Its picture can be taken once.

    ``pixels``: how many are stored, which may be more than it shows.
    """

    def __init__(self, stored: PlainJpeg | ImageFile, image_format: str, max_pixels: int, pixels: int) -> None:
        self.width, self.height = stored.width, stored.height
        """As it is stored: a viewer may turn it."""
        self._stored = stored
        self._format = image_format
        self._max_pixels = max_pixels
        self._scale = _reduction(self.width, self.height) if image_format == "JPEG" else 1
        self.is_huge = _held_pixels(stored, pixels, self._scale) > HUGE_PIXELS
        """Whoever decodes in several threads bounds their memory, of which such a picture takes up to 16 bytes a pixel,
        by decoding one at a time."""

    def picture(self) -> Picture:
        """Decode it, cut the largest centred square and scale it to 64x64 RGB.

        Raises: TooManyPixels, BrokenImage.
        """
        width, height, scale = self.width, self.height, self._scale
        with _Decoding(self._format, self._max_pixels):
            image, orientation = self._decoded()
            # A reduced size is rounded up, by a pixel that is only partly of the photo.
            size = (width / scale, height / scale) if scale > 1 else image.size
            pixels = _upright(_scaled_square(image, size), orientation)
            if self.is_huge:
                image.close()  # its memory goes before that of the next one comes
        if orientation >= 5:
            width, height = height, width
        return Picture(pixels, self._format, width, height)

    def _decoded(self) -> tuple[Image.Image, int]:
        """All of it, and its EXIF orientation, 1..8."""
        stored, scale = self._stored, self._scale
        if isinstance(stored, PlainJpeg):
            return stored.decoded(scale), 1
        if scale > 1:
            stored.draft(None, (_DRAFT_SIDE, _DRAFT_SIDE))
        stored.load()
        return stored, _orientation(stored)


class _Decoding:
    """Turns what decoders raise on damaged bytes, which is no documented set, into an error whose text is ours."""

    def __init__(self, image_format: str, max_pixels: int) -> None:
        self._format = image_format
        self._max_pixels = max_pixels

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise TooManyPixels(f"the image has more than {self._max_pixels:,} pixels") from None
        if isinstance(error, Exception) and not isinstance(error, ImageError):
            raise BrokenImage(f"the {self._format} image is truncated or damaged") from None


def detect_format(data: bytes) -> str | None:
    """Name the image format by the first bytes, never by a file name; None if it is none of ours."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if data.startswith(b"BM") and data[15:18] == b"\0\0\0":  # two letters alone would match text: the header's size too
        return "BMP"
    if data[4:8] == b"ftyp":
        return _detect_iso_media(data)
    return None


def _detect_iso_media(data: bytes) -> str | None:
    """AVIF and HEIC share one container; its file type box lists brands, the generic "mif1" among them."""
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    brands = {box[start : start + 4] for start in range(0, len(box), 4) if start != 4}  # 4..8 is a version number
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIC_BRANDS:
        return "HEIC"
    return None


def _reduction(width: int, height: int) -> int:
    """By how much the JPEG decoder reduces a photo."""
    side = min(width, height)
    return next((scale for scale in (8, 4, 2) if side >= scale * _DRAFT_SIDE), 1)


def _stored_pixels(stored: PlainJpeg | ImageFile) -> int:
    """As decoders take them, which may be more than the picture shows: those of a frame, of a tile, of short lines."""
    pixels = stored.width * stored.height
    if stored.height > _MANY_LINES:
        pixels = max(pixels, _LINE_COSTS_PIXELS * stored.height)
    match stored:
        case AvifFile() | HeicFile():
            return max(pixels, stored.decoded_pixels)
        case TiffFile():
            return max(pixels, stored.tile_pixels)
    return pixels


def _held_pixels(stored: PlainJpeg | ImageFile, pixels: int, scale: int) -> int:
    """Of those that are stored, how many the decoder of a photo, reduced by the scale, has in memory at once."""
    if scale == 1:
        return pixels
    is_in_scans = stored.is_in_scans if isinstance(stored, PlainJpeg) else _is_in_scans(stored)
    return pixels if is_in_scans else pixels // (scale * scale)


def _is_in_scans(stored: ImageFile) -> bool:
    """As PlainJpeg tells it, of a JPEG that Pillow has read to the end of the first scan's header."""
    if not isinstance(stored, JpegFile) or stored.fp is None or "progressive" in stored.info:
        return True
    header_bytes = 8 + 2 * stored.layers  # if it is that of a scan of all components
    stored.fp.seek(-header_bytes, SEEK_CUR)
    header = stored.fp.read(header_bytes)
    return header[:2] != b"\xff\xda" or header[4] != stored.layers


def _orientation(image: ImageFile) -> int:
    """The EXIF orientation, 1..8. Asked after loading: TIFF turns itself upright and then reports 1."""
    if image.format == "JPEG" and not ("exif" in image.info or "xmp" in image.info):
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF in a sound picture: show it as it is
        return 1


def _scaled_square(image: Image.Image, size: tuple[float, float]) -> Image.Image:
    """The largest centred square, antialiased to 64x64, transparency over white.

    ``size``: how much of the image the photo takes up, from its upper left corner.
    """
    if image.mode.startswith("I"):
        image = _eight_bit(image)
    transparent = image.has_transparency_data
    if transparent:
        image = _converted(_converted(image, "RGBA"), "RGBa")  # premultiplied: hidden colours do not bleed in
    elif image.mode != "L":
        image = _converted(image, "RGB")
    if size == (IMAGE_SIZE, IMAGE_SIZE) == image.size:
        return _over_white(image) if transparent else _converted(image, "RGB")
    side = min(size)
    left, top = (size[0] - side) / 2, (size[1] - side) / 2
    square = image.resize(
        (IMAGE_SIZE, IMAGE_SIZE),
        Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        reducing_gap=_REDUCING_GAP,
    )
    return _over_white(square) if transparent else _converted(square, "RGB")


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """Pillow copies a picture that has the mode already; at 50 million pixels that is worth avoiding."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bit(image: Image.Image) -> Image.Image:
    """The high byte of 16-bit grey; Pillow's own conversion would cut everything above 255 to white.

    A grey that a PNG declares transparent is told apart by all of its 16 bits.
    """
    tones = np.asarray(image)
    grey = Image.fromarray((np.clip(tones, 0, 0xFFFF) >> 8).astype(np.uint8))
    if (transparent := image.info.get("transparency")) is not None:
        grey.putalpha(Image.fromarray(tones != transparent))
    return grey


def _over_white(image: Image.Image) -> Image.Image:
    """Premultiplied colour plus the white that shines through it."""
    pixels = np.asarray(image).astype(np.uint16)
    return Image.fromarray(np.minimum(pixels[..., :3] + (255 - pixels[..., 3:]), 255).astype(np.uint8))


def _upright(image: Image.Image, orientation: int) -> npt.NDArray[np.uint8]:
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    pixels = np.frombuffer(bytearray(image.tobytes()), np.uint8)  # as np.array(image), in half its time
    return pixels.reshape(image.height, image.width, 3)
