"""The last check before a model takes traffic: it must answer for a known picture as it should.

It is also the warm-up, so that the first request is not the one that finds out what is slow or wrong.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from nnlib.model import Model
from nnlib.preprocessing import IMAGE_SIZE

TOLERANCE = 1e-3
"""How far a probability may be from the manifest's: machines add up in different orders."""


class GoldenCheckFailed(Exception):
    """The model does not answer as it should; the text says how it does."""


def golden_picture() -> npt.NDArray[np.uint8]:
    """The known picture: a bright disc on a slanted gradient, the same on every machine.

    Shapes: (64, 64, 3). Units: uint8 0..255.
    """
    rows, columns = np.indices((IMAGE_SIZE, IMAGE_SIZE))
    picture = np.stack([2 * rows + columns, rows + 2 * columns, 255 - 3 * rows], axis=2)
    disc = (rows - 32) ** 2 + (columns - 32) ** 2 < 20**2
    picture[disc] = (240, 180, 60)
    return np.clip(picture, 0, 255).astype(np.uint8)


def check_golden_picture(model: Model) -> None:
    """Predict the known picture twice: finite, the same both times, and what the manifest states, if it states it.

    The manifest may say ``"golden": {"cat_probability": 0.123}``.
    Raises: GoldenCheckFailed.
    """
    first, second = (_cat_probability(model) for _ in range(2))
    if not np.isfinite(first):
        raise GoldenCheckFailed("answers with no finite probability")
    if first != second:
        raise GoldenCheckFailed(f"answers {first:.6f} and then {second:.6f} for the same picture")
    match model.manifest.raw.get("golden"):
        case None:
            return
        case {"cat_probability": int() | float() as stated} if abs(first - stated) <= TOLERANCE:
            return
        case stated:
            raise GoldenCheckFailed(f"answers {first:.6f} for the golden picture, where its manifest says {stated!r}")


def _cat_probability(model: Model) -> float:
    with np.errstate(all="ignore"):  # what overflows shows in the answer
        return float(model.predict(golden_picture()[np.newaxis]).cat_probability[0])
