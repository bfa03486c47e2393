"""From the bytes of an image to a probability: read it, then predict. Knows nothing of HTTP or Redis."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from events.prediction import Label
from nnlib.model import Model
from nnlib.picture_features import picture_features
from nnlib.preprocessing import IMAGE_SIZE, Picture, detect_format, open_photo

from inference.deadline import Deadline

SMALL_IMAGE_BYTES = 16 * 1024
SMALL_IMAGE_PIXELS = 128 * 128
SIMPLE_FORMATS = {"JPEG", "PNG"}
"""The decoders of the others start threads and read tables."""


@dataclass(slots=True)
class DecodedImage:
    """Units: decode_seconds is 0 where the image came as pixels."""

    picture: Picture
    image_bytes: int
    decode_seconds: float


@dataclass(slots=True)
class ReadImage:
    """An image as the network sees it, what drift is measured on, and what both cost.

    Units: decode_seconds is 0 where the image came as pixels.
    """

    picture: Picture
    picture_features: Mapping[str, float]
    image_bytes: int
    decode_seconds: float
    features_seconds: float


@dataclass(slots=True)
class ImagePrediction:
    """What a model says of one image.

    Units: cat_probability 0..1; forward_seconds is this image's share of its batch.
    """

    image: ReadImage
    cat_probability: float
    certain: bool
    hidden_norm: float
    forward_seconds: float

    @property
    def label(self) -> Label:
        return "cat" if self.cat_probability >= 0.5 else "non-cat"

    @property
    def features(self) -> dict[str, float]:
        """All that drift is measured on, but the probability."""
        return {**self.image.picture_features, "hidden_norm": self.hidden_norm}


class HugePicture(Exception):
    """A picture that takes so much memory that only one at a time may be decoded."""


def decode_image(data: bytes, max_pixels: int, *, deadline: Deadline, takes_huge: bool = False) -> DecodedImage:
    """Decode one image; made to run in a thread.

    Raises: nnlib.errors.ImageError if the image cannot be used, HugePicture unless those are taken, DeadlineExceeded
    before work that nobody waits for.
    """
    deadline.check()
    began = time.perf_counter()
    photo = open_photo(data, max_pixels=max_pixels)
    if photo.is_huge and not takes_huge:
        raise HugePicture
    return DecodedImage(photo.picture(), len(data), time.perf_counter() - began)


def decode_small_image(data: bytes, max_pixels: int) -> DecodedImage | None:
    """Decode one image if that takes a tenth of a millisecond; None if it takes more.

    Raises: nnlib.errors.ImageError.
    """
    if detect_format(data) not in SIMPLE_FORMATS:
        return None
    began = time.perf_counter()
    photo = open_photo(data, max_pixels=max_pixels)
    if photo.width * photo.height > SMALL_IMAGE_PIXELS:
        return None
    return DecodedImage(photo.picture(), len(data), time.perf_counter() - began)


def measure(decoded: DecodedImage) -> ReadImage:
    """Measure one image for drift."""
    began = time.perf_counter()
    features = picture_features(decoded.picture.pixels)
    features_seconds = time.perf_counter() - began
    return ReadImage(decoded.picture, features, decoded.image_bytes, decoded.decode_seconds, features_seconds)


def read_image(data: bytes, max_pixels: int, *, deadline: Deadline, takes_huge: bool = False) -> ReadImage:
    """Decode and measure one image; made to run in a thread. Raises: as ``decode_image``."""
    return measure(decode_image(data, max_pixels, deadline=deadline, takes_huge=takes_huge))


def read_pixels(pixels: npt.NDArray[np.uint8]) -> ReadImage:
    """Measure one image that came as pixels.

    Shapes: pixels (64, 64, 3). Units: uint8 0..255.
    """
    return measure(DecodedImage(Picture(pixels, "PIXELS", IMAGE_SIZE, IMAGE_SIZE), pixels.nbytes, 0.0))


def predict_batch(model: Model, images: Sequence[ReadImage]) -> list[ImagePrediction]:
    """Predict images together, in their order."""
    began = time.perf_counter()
    pixels = images[0].picture.pixels[np.newaxis] if len(images) == 1 else np.stack([i.picture.pixels for i in images])
    batch = model.predict(pixels)
    forward_seconds = (time.perf_counter() - began) / len(images)
    return [
        ImagePrediction(
            image=image,
            cat_probability=round(float(batch.cat_probability[i]), 6),
            certain=bool(batch.certain[i]),
            hidden_norm=math.sqrt(batch.hidden[i] @ batch.hidden[i]),
            forward_seconds=forward_seconds,
        )
        for i, image in enumerate(images)
    ]


def predict_image(
    model: Model, data: bytes, max_pixels: int, *, deadline: Deadline, takes_huge: bool = False
) -> ImagePrediction:
    """Read and predict one image; made to run in a thread. Raises: as ``decode_image``."""
    image = read_image(data, max_pixels, deadline=deadline, takes_huge=takes_huge)
    deadline.check()
    return predict_batch(model, [image])[0]
