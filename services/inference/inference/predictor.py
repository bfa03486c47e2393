"""One image, from its bytes to a probability. Knows nothing of HTTP or Redis."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from events.prediction import Label
from nnlib.model import Model
from nnlib.picture_features import picture_features
from nnlib.preprocessing import preprocess

from inference.deadline import Deadline


@dataclass(frozen=True, slots=True)
class StageSeconds:
    decode: float
    features: float
    forward: float


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """What the model says of one image, and what the image was.

    Units: cat_probability 0..1; width and height in pixels. ``features`` are those that drift is measured on.
    """

    cat_probability: float
    certain: bool
    features: Mapping[str, float]
    image_format: str
    image_width: int
    image_height: int
    seconds: StageSeconds

    @property
    def label(self) -> Label:
        return "cat" if self.cat_probability >= 0.5 else "non-cat"

    @property
    def confidence(self) -> float:
        """max(cat_probability, 1 - cat_probability), 0.5..1."""
        return max(self.cat_probability, 1 - self.cat_probability)


def predict_image(model: Model, data: bytes, *, max_pixels: int, deadline: Deadline) -> ImagePrediction:
    """Decode, measure and predict one image; made to run in a thread.

    Raises: nnlib.errors.ImageError if the image cannot be used, DeadlineExceeded before a stage that nobody waits for.
    """
    deadline.check()
    began = time.perf_counter()
    picture = preprocess(data, max_pixels=max_pixels)
    decoded = time.perf_counter()
    deadline.check()
    features = picture_features(picture.pixels)
    measured = time.perf_counter()
    prediction = model.predict(picture.pixels[np.newaxis])
    features["hidden_norm"] = float(np.linalg.norm(prediction.hidden[0]))
    ended = time.perf_counter()
    return ImagePrediction(
        cat_probability=round(float(prediction.cat_probability[0]), 6),
        certain=bool(prediction.certain[0]),
        features=features,
        image_format=picture.format,
        image_width=picture.width,
        image_height=picture.height,
        seconds=StageSeconds(decode=decoded - began, features=measured - decoded, forward=ended - measured),
    )
