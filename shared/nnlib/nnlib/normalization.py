"""From pixels to the numbers the first layer takes; the last step that training and serving share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array


@dataclass(frozen=True)
class Normalization:
    """inputs = (pixels * scale - mean) / std, channel by channel."""

    scale: float = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def apply(self, pixels: npt.NDArray[np.uint8], dtype: type[np.floating[Any]] = np.float32) -> Array:
        """Normalize a batch.

        Shapes: pixels and result (batch, height, width, 3).
        Units: pixels uint8 0..255, result in `dtype`.
        """
        return self.shift_and_scale(pixels * dtype(self.scale))

    def shift_and_scale(self, images: Array) -> Array:
        """The rest of it for pictures that are multiplied by `scale` already, as augmentation gives them; in place."""
        if not any(self.mean) and self.std == (1.0, 1.0, 1.0):
            return images
        *others, width, channels = images.shape
        lines = images.reshape(*others, width * channels)  # three numbers at a time would take several times as long
        lines -= np.tile(np.array(self.mean, images.dtype), width)
        lines /= np.tile(np.array(self.std, images.dtype), width)
        return lines.reshape(images.shape)
