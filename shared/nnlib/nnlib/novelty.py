"""How unlike anything seen is a picture? A classifier answers whatever it is shown: noise, a page of text, a wall.

The score is how far what a picture looks like, and how strongly the network answers to it, lie from those of ordinary
photos: a distance in their own deviations, correlations taken into account. It does not tell what a picture shows, so
it catches what is no photo at all, and not an animal that was never seen.

Source: Mahalanobis distance, as for single layers in Lee et al. 2018, A Simple Unified Framework for Detecting
Out-of-Distribution Samples, section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array, check_shape
from nnlib.picture_features import PICTURE_FEATURES, picture_features

FEATURES = (*PICTURE_FEATURES, "hidden_norm")
_OF_SIZE = {"contrast": 0.01, "sharpness": 0.001, "hidden_norm": 0.001}  # their ratios matter, so: log(value + this)


@dataclass(frozen=True)
class Novelty:
    """What ordinary photos are like. A score above `threshold` had only a stated share of them.

    Shapes: mean (features,), inverse_covariance (features, features).
    """

    mean: Array
    inverse_covariance: Array
    threshold: float

    def score(self, features: Array) -> Array:
        """Shapes: features (samples, features) from novelty_features(), result (samples,)."""
        check_shape(features, ("samples", len(self.mean)))
        difference = features - self.mean
        distance: Array = np.sqrt(np.einsum("sf,fg,sg->s", difference, self.inverse_covariance, difference))
        return distance

    def to_json(self) -> dict[str, Any]:
        return {
            "features": list(FEATURES),
            "mean": self.mean.tolist(),
            "inverse_covariance": self.inverse_covariance.tolist(),
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read what a manifest has under "novelty".

        Raises: ValueError if it is not what to_json() wrote.
        """
        try:
            if raw["features"] != list(FEATURES):
                raise ValueError(f"novelty.features is {raw['features']!r}, expected {list(FEATURES)}")
            novelty = cls(
                np.array(raw["mean"], float), np.array(raw["inverse_covariance"], float), float(raw["threshold"])
            )
            check = (novelty.mean.shape, novelty.inverse_covariance.shape)
        except (KeyError, TypeError) as error:
            raise ValueError(f"novelty is damaged: {error}") from error
        if check != ((len(FEATURES),), (len(FEATURES), len(FEATURES))):
            raise ValueError(f"novelty has arrays of the shapes {check}")
        return novelty


def fit_novelty(features: Array, *, share: float) -> Novelty:
    """Learn ordinary photos; the threshold is passed by that share of them.

    Shapes: features (samples, features) from novelty_features(). Units: share 0..1.
    """
    mean = features.mean(axis=0)
    inverse_covariance = np.linalg.inv(np.cov(features, rowvar=False))
    score = Novelty(mean, inverse_covariance, 0.0).score(features)
    return Novelty(mean, inverse_covariance, float(np.quantile(score, 1 - share)))


def novelty_features(pixels: npt.NDArray[np.uint8], hidden: Array) -> Array:
    """What the score is made of, in the order of FEATURES.

    Shapes: pixels (samples, 64, 64, 3), hidden (samples, units), result (samples, features).
    """
    columns = {name: np.empty(len(pixels)) for name in PICTURE_FEATURES}
    for position, picture in enumerate(pixels):
        for name, value in picture_features(picture).items():
            columns[name][position] = value
    columns["hidden_norm"] = np.linalg.norm(hidden, axis=1).astype(np.float64)
    for name, smallest in _OF_SIZE.items():
        columns[name] = np.log(columns[name] + smallest)
    return np.stack([columns[name] for name in FEATURES], axis=1)
