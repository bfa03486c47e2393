"""GIFs, of whose screen the first picture need not cover all: what it leaves is transparent, as in browsers.

Pillow shows a colour of the palette there.
"""

from PIL import Image
from PIL.GifImagePlugin import GifImageFile


class GifFile(GifImageFile):
    """Used as Pillow's own, of a first picture alone."""

    def load_end(self) -> None:
        super().load_end()
        covered = self.dispose_extent
        # One that has a transparent colour has been laid on that.
        if covered in (None, (0, 0, *self.size)) or "transparency" in self.info:
            return
        screen = Image.new("RGBA", self.size)
        screen.paste(self.crop(covered).convert("RGBA"), covered)
        self.im = screen.im
        self._mode = screen.mode
        self.palette = None
