"""What a picture looks like to a drift detector: five numbers that need no network.

They are measured on the 64x64 picture, so that a reference from training pictures and a window of traffic are alike.
"""

import numpy as np
import numpy.typing as npt

from nnlib.arrays import check_shape
from nnlib.preprocessing import IMAGE_SIZE

PICTURE_FEATURES = ("brightness", "contrast", "saturation", "colour_balance", "sharpness")

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32) / 255


def picture_features(pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Measure one picture. With luma Y = (0.299 R + 0.587 G + 0.114 B) / 255, 0..1:

    brightness      mean(Y), 0..1
    contrast        standard deviation of Y, 0..0.5
    saturation      mean((max(R, G, B) - min(R, G, B)) / max(R, G, B)), a black pixel counting as 0; 0..1
    colour_balance  mean(R - B) / 255, -1 (blue) .. 1 (orange)
    sharpness       mean |4 Y - up - down - left - right| over the inner pixels, 0..4

    Shapes: pixels (64, 64, 3).
    Units: pixels uint8 0..255.
    Raises: ShapeError if the picture is not 64x64 RGB.
    Source: luma after ITU-R BT.601; saturation as in HSV (Smith 1978); sharpness is the discrete Laplacian.
    """
    check_shape(pixels, (IMAGE_SIZE, IMAGE_SIZE, 3))
    luma = pixels @ _LUMA
    red, green, blue = (pixels[..., channel] for channel in range(3))
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    laplacian = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    values = (
        luma.mean(),
        luma.std(),
        ((highest - lowest) / np.maximum(highest, 1, dtype=np.float32)).mean(),
        (red.mean() - blue.mean()) / 255,
        np.abs(laplacian).mean(),
    )
    return {name: float(value) for name, value in zip(PICTURE_FEATURES, values, strict=True)}
