"""What a picture looks like to a drift detector: five numbers that need no network.

They are measured on the 64x64 picture, so that a reference from training pictures and a window of traffic are alike.
"""

import math

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array, check_shape
from nnlib.preprocessing import IMAGE_SIZE

PICTURE_FEATURES = ("brightness", "contrast", "saturation", "colour_balance", "sharpness")

_PIXELS = IMAGE_SIZE * IMAGE_SIZE
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32) / 255
_EACH = np.full(_PIXELS, 1 / _PIXELS, dtype=np.float32)
"""Times this, an array of one number a pixel is their mean; a power of two, so that nothing is rounded on the way."""
_ONE = np.uint8(1)


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
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)).reshape(3, _PIXELS)  # steps of 3 would take twice as long
    colours = planes.astype(np.float32)
    luma = _LUMA @ colours
    means = colours @ _EACH
    brightness = _LUMA @ means
    deviation = luma - brightness
    highest = np.maximum.reduce(planes)
    saturation = np.divide(highest - np.minimum.reduce(planes), np.maximum(highest, _ONE), dtype=np.float32)
    values = (
        float(brightness),
        math.sqrt(deviation @ deviation / _PIXELS),
        float(saturation @ _EACH),
        float(means[0] - means[2]) / 255,
        _mean(_magnitude_of_laplacian(luma)),
    )
    return dict(zip(PICTURE_FEATURES, values, strict=True))


def _magnitude_of_laplacian(luma: Array) -> Array:
    """Of the inner pixels; in one pass over whole rows, of which the first and the last column are then left out.

    Shapes: luma (64 * 64,), result (62, 62).
    """
    row = IMAGE_SIZE
    laplacian = 4 * luma[row:-row]
    laplacian -= luma[: -2 * row]
    laplacian -= luma[2 * row :]
    laplacian -= luma[row - 1 : -row - 1]
    laplacian -= luma[row + 1 : 1 - row]
    np.abs(laplacian, out=laplacian)
    inner: Array = laplacian.reshape(row - 2, row)[:, 1:-1]
    return inner


def _mean(values: Array) -> float:
    return float(np.add.reduce(values, axis=None)) / values.size  # as mean() adds, in half its time
