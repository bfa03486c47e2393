"""TIFFs, read by Pillow where that takes no more than the picture does."""

from io import BytesIO

from PIL import ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from nnlib.errors import BrokenImage
from nnlib.tiff_structure import TiffStructure


class TiffFile(TiffImageFile):
    """Used as Pillow's own. Opening it raises BrokenImage where the file asks for far more work than its picture."""

    def __init__(self, file: BytesIO) -> None:
        structure = TiffStructure.read(file.getvalue())
        if structure.is_laborious:
            raise BrokenImage("the TIFF image is stored in too many parts")
        self.tile_pixels = structure.tile_pixels
        """Of each tile; 0 where the picture is in strips."""
        super().__init__(file)

    def load_end(self) -> None:
        """Turn the picture upright. Pillow would also make objects of all that a camera wrote about the photo."""
        ImageOps.exif_transpose(self, in_place=True)
