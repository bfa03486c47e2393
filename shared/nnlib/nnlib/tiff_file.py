"""TIFFs, read by Pillow where that takes no more than the picture does, and where Pillow reads them right.

Source: TIFF, revision 6.0, sections 8 (PhotometricInterpretation, PlanarConfiguration) and 19 (SampleFormat).
"""

from io import BytesIO

from PIL import ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from nnlib.errors import BrokenImage
from nnlib.tiff_structure import TiffStructure

_BITS_PER_SAMPLE, _COMPRESSION, _PHOTOMETRIC, _PLANES, _SAMPLE_FORMAT = 258, 259, 262, 284, 339
_WHITE_IS_ZERO = 0
_UNCOMPRESSED, _WEBP = 1, 50001
_SEPARATE = 2
_UNSIGNED = 1


class TiffFile(TiffImageFile):
    """Used as Pillow's own.

    Opening it raises BrokenImage where the file asks for far more work than its picture, or holds what Pillow would not
    read or would take for something else.
    """

    def __init__(self, file: BytesIO) -> None:
        structure = TiffStructure.read(file.getvalue())
        if structure.is_laborious:
            raise BrokenImage("the TIFF image is stored in too many parts")
        self.tile_pixels = structure.tile_pixels
        """Of each tile; 0 where the picture is in strips."""
        try:
            super().__init__(file)
        except Exception:
            if structure.is_whole:
                raise _not_supported() from None
            raise
        if not self._is_read_right():
            raise _not_supported()

    def _is_read_right(self) -> bool:
        tags = self.tag_v2
        compression = tags.get(_COMPRESSION, _UNCOMPRESSED)
        if compression == _WEBP:
            return False  # Pillow knows it, the libtiff of its wheels does not
        formats = tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))
        if self.mode in ("I", "F") or any(sample_format != _UNSIGNED for sample_format in formats):
            return False  # which of the numbers are black and white, such a file does not tell
        if compression != _UNCOMPRESSED or tags.get(_PLANES) != _SEPARATE:
            return True
        # Uncompressed planes are taken for bytes, and for what they are called.
        return all(bits == 8 for bits in tags.get(_BITS_PER_SAMPLE, (1,))) and tags.get(_PHOTOMETRIC) != _WHITE_IS_ZERO

    def load_end(self) -> None:
        """Mend the tones, and turn the picture upright.

        Pillow would also make objects of all that a camera wrote about the photo.
        """
        if self.mode == "I;16":
            if self.tag_v2[_BITS_PER_SAMPLE] == (12,):
                self.im = self.im.point_transform(16, 0)
            elif self.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
                self.im = self.im.point_transform(-1, 0xFFFF)
        ImageOps.exif_transpose(self, in_place=True)


def _not_supported() -> BrokenImage:
    return BrokenImage("the TIFF image stores its samples in a way that is not supported")
