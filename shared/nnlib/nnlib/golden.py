"""The golden picture: known to every machine without a file, so that a model can state what it answers for it."""

import numpy as np
import numpy.typing as npt

from nnlib.preprocessing import IMAGE_SIZE


def golden_picture() -> npt.NDArray[np.uint8]:
    """A bright disc on a slanted gradient, the same on every machine.

    Shapes: (64, 64, 3). Units: uint8 0..255.
    """
    rows, columns = np.indices((IMAGE_SIZE, IMAGE_SIZE))
    picture = np.stack([2 * rows + columns, rows + 2 * columns, 255 - 3 * rows], axis=2)
    disc = (rows - 32) ** 2 + (columns - 32) ** 2 < 20**2
    picture[disc] = (240, 180, 60)
    return np.clip(picture, 0, 255).astype(np.uint8)
