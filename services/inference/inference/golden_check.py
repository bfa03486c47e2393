"""The last check before a model takes traffic: it must answer for a known picture as it should.

It is also the warm-up, so that the first request is not the one that finds out what is slow or wrong.
"""

from __future__ import annotations

import numpy as np
from nnlib.golden import golden_picture
from nnlib.model import Model

TOLERANCE = 1e-3
"""How far a probability may be from the manifest's: machines add up in different orders."""


class GoldenCheckFailed(Exception):
    """The model does not answer as it should; the text says how it does."""


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
